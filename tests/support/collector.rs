//! Collector of spans: a server on a real socket that parses OTLP with the official types.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1 as otlp;
use prost::Message;
use serde_json::{Value, json};

use crate::{Builder, FakeModel, Request, Step};

/// Collector that accepts spans. Stops when dropped.
#[derive(Debug)]
pub struct Collector {
    /// Server below the collector, for waiting and for failures.
    pub server: FakeModel,
}

/// Received span.
#[derive(Clone, Debug)]
pub struct Span {
    /// Name.
    pub name: String,
    /// Kind: `internal`, `server` or `client`.
    pub kind: &'static str,
    /// Trace id in hex.
    pub trace: String,
    /// Span id in hex.
    pub id: String,
    /// Id of the parent, if there is one.
    pub parent: Option<String>,
    /// Start in nanoseconds since 1970.
    pub begun: u64,
    /// End in nanoseconds since 1970.
    pub ended: u64,
    /// Attributes.
    pub attributes: BTreeMap<String, Value>,
    /// Events.
    pub events: Vec<Event>,
    /// Linked spans: their ids and attributes.
    pub links: Vec<(String, Value)>,
    /// Message of the status, if that is an error.
    pub error: Option<String>,
    /// Flags of the trace, and whether the parent is remote.
    pub flags: u32,
    /// Resource that sent the span.
    pub resource: BTreeMap<String, Value>,
}

/// Event of a span.
#[derive(Clone, Debug)]
pub struct Event {
    /// Name.
    pub name: String,
    /// Time in nanoseconds since 1970.
    pub at: u64,
    /// Attributes.
    pub attributes: BTreeMap<String, Value>,
}

impl Collector {
    /// Starts a collector that accepts everything.
    pub async fn start() -> Self {
        Self::scripted(FakeModel::builder()).await
    }

    /// Starts a collector that first follows a script, and then accepts everything.
    pub async fn scripted(script: Builder) -> Self {
        Self { server: script.otherwise(|_| Self::taken()).start().await }
    }

    /// Returns the response to an export that is accepted entirely.
    pub fn taken() -> Step {
        Step::bytes("application/x-protobuf", Vec::new())
    }

    /// Returns the response to an export that is accepted except for some spans.
    pub fn taken_but(rejected_spans: i64) -> Step {
        let partial = ExportTracePartialSuccess { rejected_spans, error_message: "too old".to_owned() };
        let answer = ExportTraceServiceResponse { partial_success: Some(partial) };
        Step::bytes("application/x-protobuf", answer.encode_to_vec())
    }

    /// Returns the address for `[traces] endpoint`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.authority())
    }

    /// Returns all spans so far, whatever the responses were.
    pub fn spans(&self) -> Vec<Span> {
        self.server.requests().iter().flat_map(spans_of).collect()
    }

    /// Waits until `count` spans have arrived in total.
    pub async fn spans_when(&self, count: usize) -> Vec<Span> {
        let enough =
            |requests: &[Request]| requests.iter().map(|it| spans_of(it).len()).sum::<usize>() >= count;
        self.server.requests_until(enough).await.iter().flat_map(spans_of).collect()
    }
}

impl Span {
    /// Returns an attribute; null if there is none.
    pub fn get(&self, key: &str) -> &Value {
        self.attributes.get(key).unwrap_or(&Value::Null)
    }

    /// Returns whether the span begins and ends within another one.
    pub fn is_within(&self, other: &Self) -> bool {
        other.begun <= self.begun && self.ended <= other.ended
    }
}

/// Returns the spans of one export.
pub fn spans_of(request: &Request) -> Vec<Span> {
    let export = ExportTraceServiceRequest::decode(request.body.clone()).expect("an export of spans");
    let mut spans = Vec::new();
    for of_resource in export.resource_spans {
        let resource = map(&of_resource.resource.expect("a resource").attributes);
        for of_scope in of_resource.scope_spans {
            assert_eq!(of_scope.scope.expect("a scope").name, "pointsman");
            spans.extend(of_scope.spans.into_iter().map(|span| read(span, &resource)));
        }
    }
    spans
}

fn read(span: otlp::Span, resource: &BTreeMap<String, Value>) -> Span {
    use otlp::span::SpanKind;
    use otlp::status::StatusCode;
    assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8), "{span:?}");
    let event = |event: &otlp::span::Event| Event {
        name: event.name.clone(),
        at: event.time_unix_nano,
        attributes: map(&event.attributes),
    };
    let link = |link: &otlp::span::Link| {
        assert_eq!(link.trace_id, span.trace_id);
        (hex(&link.span_id), map(&link.attributes)["pointsman.link"].clone())
    };
    Span {
        kind: match span.kind() {
            SpanKind::Internal => "internal",
            SpanKind::Server => "server",
            SpanKind::Client => "client",
            other => panic!("a span of kind {other:?}"),
        },
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: (!span.parent_span_id.is_empty()).then(|| hex(&span.parent_span_id)),
        begun: span.start_time_unix_nano,
        ended: span.end_time_unix_nano,
        attributes: map(&span.attributes),
        events: span.events.iter().map(event).collect(),
        links: span.links.iter().map(link).collect(),
        error: span.status.as_ref().filter(|it| it.code() == StatusCode::Error).map(|it| it.message.clone()),
        flags: span.flags,
        name: span.name,
        resource: resource.clone(),
    }
}

/// Converts attributes. Panics if a key occurs twice.
fn map(attributes: &[KeyValue]) -> BTreeMap<String, Value> {
    let mut map = BTreeMap::new();
    for attribute in attributes {
        let before = map.insert(attribute.key.clone(), value(attribute.value.as_ref()));
        assert!(before.is_none(), "two attributes `{}`", attribute.key);
    }
    map
}

fn value(value: Option<&AnyValue>) -> Value {
    match value.and_then(|value| value.value.as_ref()).expect("an attribute with a value") {
        Any::StringValue(text) => json!(text),
        Any::BoolValue(flag) => json!(flag),
        Any::IntValue(number) => json!(number),
        Any::DoubleValue(number) => json!(number),
        Any::ArrayValue(array) => array.values.iter().map(|it| self::value(Some(it))).collect(),
        other => panic!("an attribute of another kind: {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
