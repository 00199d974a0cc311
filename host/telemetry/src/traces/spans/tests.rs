use opentelemetry_proto::tonic::trace::v1 as otlp;
use pointsman_domain::history::{PlanRun, TaskRun};
use pointsman_domain::plan::PlanLimits;
use prost::Message as _;

use super::*;
use crate::sample;

const TRACE: TraceContext = TraceContext { trace: 0xabc, parent: Some(0xdef), span: 0x123, sampled: true };

fn servers() -> ModelServers {
    let server =
        ModelServer { provider: "openai".to_owned(), address: Some(("localhost".to_owned(), 8_000)) };
    ModelServers::from([(BackendName::new("fleet"), server)])
}

fn written(history: &History) -> Vec<otlp::Span> {
    let mut buffer = Vec::new();
    RequestSpans { history, trace: TRACE, servers: &servers(), content: None }.write(&mut buffer);
    let spans = otlp::ScopeSpans::decode(buffer.as_slice()).expect("spans").spans;
    assert_eq!(spans.len() as u64, count(history), "as many as are counted");
    spans
}

fn text(span: &otlp::Span, key: &str) -> Option<String> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let attribute = span.attributes.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.clone()?.value? {
        Value::StringValue(text) => Some(text),
        other => Some(format!("{other:?}")),
    }
}

#[test]
fn a_request_with_its_decision_and_call_is_written() {
    let spans = written(&sample::history(100_000, "llama-7b", RequestEnd::Answered));
    let texts: Vec<String> = spans.iter().map(rendered).collect();
    insta::assert_snapshot!(texts.join("\n"));
}

/// Renders a span as text.
fn rendered(span: &otlp::Span) -> String {
    use std::fmt::Write;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut text_of_span = format!("{} ({:?})\n", span.name, span.kind());
    let (trace, id, parent) = (hex(&span.trace_id), hex(&span.span_id), hex(&span.parent_span_id));
    writeln!(text_of_span, "  {trace} {id} in {parent}, flags {:x}", span.flags).expect("memory");
    writeln!(text_of_span, "  {} to {}", span.start_time_unix_nano, span.end_time_unix_nano).expect("memory");
    for attribute in &span.attributes {
        let key = &attribute.key;
        writeln!(text_of_span, "  {key} = {}", text(span, key).unwrap_or_default()).expect("memory");
    }
    text_of_span
}

#[test]
fn tasks_are_in_the_request_and_calls_in_their_tasks() {
    let mut history = sample::history(100_000, "llama-7b", RequestEnd::Answered);
    let task = |name: &str, after: Vec<usize>, begun: Option<Duration>| TaskRun {
        name: name.to_owned(),
        operation: Operation::Chat,
        step: 1,
        after,
        begun,
        ended: begun.map(|begun| begun + Duration::from_millis(1)),
        model: None,
        output_bytes: None,
        error: None,
    };
    let begun = Some(Duration::from_millis(1));
    let tasks =
        vec![task("first", Vec::new(), begun), task("never", vec![0], None), task("last", vec![0, 1], begun)];
    history.plan = Some(PlanRun { steps: 1, limits: PlanLimits::default(), tasks });
    let mut second = history.calls[0].clone();
    (second.task, second.span) = (Some(2), 0xbeef);
    history.calls.push(second);
    let spans = written(&history);
    let named = |name: &str| spans.iter().find(|span| span.name == name).expect("a span of this name");
    let (first, last) = (named("task first"), named("task last"));
    assert!(!spans.iter().any(|span| span.name == "task never"), "it took no time");
    for task in [first, last] {
        assert_eq!(task.parent_span_id, 0x123_u64.to_be_bytes());
    }
    let links: Vec<&[u8]> = last.links.iter().map(|link| link.span_id.as_slice()).collect();
    assert_eq!(links, [first.span_id.as_slice()], "only tasks that ran are linked");
    let parents: Vec<&[u8]> =
        spans[spans.len() - 2..].iter().map(|span| span.parent_span_id.as_slice()).collect();
    assert_eq!(parents, [0x123_u64.to_be_bytes().as_slice(), &last.span_id]);
}

#[test]
fn derived_ids_are_distinct_and_stable() {
    let history = sample::history(100_000, "llama-7b", RequestEnd::Answered);
    let spans =
        RequestSpans { history: &history, trace: TRACE, servers: &ModelServers::new(), content: None };
    let ids = || {
        (0..1_000)
            .flat_map(|n| [spans.derived(DerivedSpan::Decision, n), spans.derived(DerivedSpan::Task, n)])
    };
    let all: std::collections::HashSet<u64> = ids().chain([TRACE.span]).collect();
    assert_eq!(all.len(), 2_001);
    assert!(ids().eq(ids()));
}

#[test]
fn a_fault_of_the_client_is_not_an_error_of_the_span() {
    let mut history = sample::history(100_000, "llama-7b", RequestEnd::Failed);
    for (fault, is_error) in
        [(Fault::Client, false), (Fault::Policy, true), (Fault::Backend, true), (Fault::Deadline, true)]
    {
        (history.outcome.fault, history.outcome.error) = (Some(fault), Some("why".to_owned()));
        let request = &written(&history)[0];
        assert_eq!(text(request, "error.type").as_deref(), Some(fault.as_str()));
        assert_eq!(request.status.is_some(), is_error, "{fault:?}");
    }
}
