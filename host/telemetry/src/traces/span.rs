//! One span, as OTLP has it (opentelemetry/proto/trace/v1/trace.proto).

use std::fmt;
use std::io::Write;

use super::protobuf::Message;

/// What a span stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Internal = 1,
    Server = 2,
    Client = 3,
}

/// What is known of a span from its beginning.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) trace: u128,
    pub(super) id: u64,
    pub(super) parent: Option<u64>,
    /// Whether the parent is somebody else's.
    pub(super) is_parent_remote: bool,
    pub(super) kind: Kind,
    /// Nanoseconds since 1970.
    pub(super) begun: u64,
    /// Nanoseconds since 1970.
    pub(super) ended: u64,
}

/// A span that is being written.
#[derive(Debug)]
pub(super) struct Span<'m, 'b> {
    message: &'m mut Message<'b>,
    trace: u128,
}

/// Attributes of whatever has some.
#[derive(Debug)]
pub(super) struct Attributes<'m, 'b> {
    message: &'m mut Message<'b>,
    field: u32,
}

/// The flag of the W3C trace context: the trace is recorded.
const SAMPLED: u32 = 1;
/// It is known whether the parent, or what a link leads to, is somebody else's.
const IS_REMOTE_KNOWN: u32 = 0x100;
/// It is.
const IS_REMOTE: u32 = 0x200;
/// The code of a status that is an error.
const ERROR: u64 = 2;

impl<'m, 'b> Span<'m, 'b> {
    pub(super) fn begin(message: &'m mut Message<'b>, head: Head, name: fmt::Arguments<'_>) -> Self {
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

    pub(super) fn attributes(&mut self) -> Attributes<'_, 'b> {
        Attributes { message: self.message, field: 9 }
    }

    /// Something that happened at a time.
    pub(super) fn event(&mut self, at: u64, name: &str, attributes: impl FnOnce(Attributes<'_, '_>)) {
        self.message.message(11, |event| {
            event.fixed64(1, at);
            event.bytes(2, name.as_bytes());
            attributes(Attributes { message: event, field: 3 });
        });
    }

    /// Another span of the same trace that this one has to do with.
    pub(super) fn link(&mut self, span: u64, why: &str) {
        let trace = self.trace;
        self.message.message(13, |link| {
            link.bytes(1, &trace.to_be_bytes());
            link.bytes(2, &span.to_be_bytes());
            Attributes { message: link, field: 4 }.text("pointsman.link", why);
            link.fixed32(6, SAMPLED | IS_REMOTE_KNOWN);
        });
    }

    /// It is an error, of a kind, in these words.
    pub(super) fn error(&mut self, kind: fmt::Arguments<'_>, words: fmt::Arguments<'_>) {
        self.attributes().display("error.type", kind);
        self.message.message(15, |status| {
            status.message(2, |text| write(text, words));
            status.varint(3, ERROR);
        });
    }
}

impl<'m, 'b> Attributes<'m, 'b> {
    /// Those of a resource.
    pub(super) fn of_resource(message: &'m mut Message<'b>) -> Self {
        Self { message, field: 1 }
    }

    pub(super) fn text(&mut self, key: &str, text: &str) {
        self.value(key, |value| value.bytes(1, text.as_bytes()));
    }

    pub(super) fn maybe(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    pub(super) fn display(&mut self, key: &str, what: impl fmt::Display) {
        self.value(key, |value| value.message(1, |text| write(text, format_args!("{what}"))));
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

    fn value(&mut self, key: &str, write: impl FnOnce(&mut Message<'_>)) {
        self.message.message(self.field, |attribute| {
            attribute.bytes(1, key.as_bytes());
            attribute.message(2, write);
        });
    }
}

/// Memory takes whatever is written, so there is no error.
fn write(text: &mut Message<'_>, what: fmt::Arguments<'_>) {
    let _ = text.raw().write_fmt(what);
}
