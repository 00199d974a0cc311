//! Encoding of one span (opentelemetry/proto/trace/v1/trace.proto).

use std::fmt;
use std::io::Write;

use super::protobuf::MessageWriter;

/// Kind of a span, with the numbers of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SpanKind {
    Internal = 1,
    Server = 2,
    Client = 3,
}

/// Fixed fields of a span.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpanHead {
    pub(super) trace: u128,
    pub(super) id: u64,
    pub(super) parent: Option<u64>,
    /// True if the parent belongs to another process.
    pub(super) is_parent_remote: bool,
    pub(super) kind: SpanKind,
    /// Start in nanoseconds since 1970.
    pub(super) begun: u64,
    /// End in nanoseconds since 1970.
    pub(super) ended: u64,
}

/// Writer of a span.
#[derive(Debug)]
pub(super) struct SpanWriter<'m, 'b> {
    message: &'m mut MessageWriter<'b>,
    trace: u128,
}

/// Writer of the attributes of a span, event, link or resource.
#[derive(Debug)]
pub(super) struct AttributeWriter<'m, 'b> {
    message: &'m mut MessageWriter<'b>,
    field: u32,
}

/// Flag of the W3C trace context: the trace is sampled.
const SAMPLED: u32 = 1;
/// Flag: the next one is valid.
const IS_REMOTE_KNOWN: u32 = 0x100;
/// Flag: the parent, or the span of a link, belongs to another process.
const IS_REMOTE: u32 = 0x200;
/// Status code of an error.
const ERROR: u64 = 2;

impl<'m, 'b> SpanWriter<'m, 'b> {
    pub(super) fn begin(
        message: &'m mut MessageWriter<'b>,
        head: SpanHead,
        name: fmt::Arguments<'_>,
    ) -> Self {
        message.bytes(1, &head.trace.to_be_bytes());
        message.bytes(2, &head.id.to_be_bytes());
        if let Some(parent) = head.parent {
            message.bytes(4, &parent.to_be_bytes());
        }
        message.message(5, |text| write(text, name));
        message.varint(6, head.kind as u64);
        message.fixed64(7, head.begun);
        message.fixed64(8, head.ended.max(head.begun));
        let remote = if head.is_parent_remote { IS_REMOTE } else { 0 };
        message.fixed32(16, SAMPLED | IS_REMOTE_KNOWN | remote);
        Self { message, trace: head.trace }
    }

    pub(super) fn attributes(&mut self) -> AttributeWriter<'_, 'b> {
        AttributeWriter { message: self.message, field: 9 }
    }

    /// Writes an event.
    pub(super) fn event(&mut self, at: u64, name: &str, attributes: impl FnOnce(AttributeWriter<'_, '_>)) {
        self.message.message(11, |event| {
            event.fixed64(1, at);
            event.bytes(2, name.as_bytes());
            attributes(AttributeWriter { message: event, field: 3 });
        });
    }

    /// Writes a link to another span of the same trace.
    pub(super) fn link(&mut self, span: u64, relation: &str) {
        let trace = self.trace;
        self.message.message(13, |link| {
            link.bytes(1, &trace.to_be_bytes());
            link.bytes(2, &span.to_be_bytes());
            AttributeWriter { message: link, field: 4 }.text("pointsman.link", relation);
            link.fixed32(6, SAMPLED | IS_REMOTE_KNOWN);
        });
    }

    /// Marks the span as an error.
    pub(super) fn error(&mut self, kind: fmt::Arguments<'_>, description: fmt::Arguments<'_>) {
        self.attributes().display("error.type", kind);
        self.message.message(15, |status| {
            status.message(2, |text| write(text, description));
            status.varint(3, ERROR);
        });
    }
}

impl<'m, 'b> AttributeWriter<'m, 'b> {
    /// Creates a writer for the attributes of a resource.
    pub(super) fn of_resource(message: &'m mut MessageWriter<'b>) -> Self {
        Self { message, field: 1 }
    }

    pub(super) fn text(&mut self, key: &str, text: &str) {
        self.value(key, |value| value.bytes(1, text.as_bytes()));
    }

    pub(super) fn optional_text(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    pub(super) fn display(&mut self, key: &str, value: impl fmt::Display) {
        self.value(key, |field| field.message(1, |text| write(text, format_args!("{value}"))));
    }

    pub(super) fn flag(&mut self, key: &str, flag: bool) {
        self.value(key, |value| value.varint(2, flag.into()));
    }

    pub(super) fn number(&mut self, key: &str, number: u64) {
        self.value(key, |value| value.varint(3, number.min(i64::MAX as u64)));
    }

    pub(super) fn float(&mut self, key: &str, number: f64) {
        self.value(key, |value| value.double(4, number));
    }

    pub(super) fn list<'t>(&mut self, key: &str, texts: impl Iterator<Item = &'t str>) {
        self.value(key, |value| {
            value.message(5, |array| {
                texts.for_each(|text| array.message(1, |value| value.bytes(1, text.as_bytes())));
            });
        });
    }

    fn value(&mut self, key: &str, write: impl FnOnce(&mut MessageWriter<'_>)) {
        self.message.message(self.field, |attribute| {
            attribute.bytes(1, key.as_bytes());
            attribute.message(2, write);
        });
    }
}

fn write(text: &mut MessageWriter<'_>, formatted: fmt::Arguments<'_>) {
    // Writing to memory does not fail.
    let _ = text.raw().write_fmt(formatted);
}
