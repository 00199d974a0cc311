//! Events of a stream.

use pointsman_wire::openai::client::ErrorBody;
use serde::Serialize;

use super::item::{ContentPart, OutputItem};
use super::response::Response;
use crate::form::RawJson;

/// Writer of events with increasing numbers. Without an output it only counts them, for an answer
/// that is rendered whole.
#[derive(Debug)]
pub(super) struct EventWriter<'o> {
    sequence_number: &'o mut u64,
    out: Option<&'o mut Vec<u8>>,
}

/// Event. Members that are absent in its type are `None`.
#[derive(Debug, Default, Serialize)]
pub(super) struct Event<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotation_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<[(); 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<&'a ContentPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotation: Option<&'a RawJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<&'a EventItem<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<&'a Response<'a>>,
}

/// Item of an event.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum EventItem<'a> {
    Rendered(OutputItem<'a>),
    Raw(&'a RawJson),
}

#[derive(Serialize)]
struct NumberedEvent<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    sequence_number: u64,
    #[serde(flatten)]
    event: &'a Event<'a>,
}

/// Error event. Its type in the API has the members of the error at its top; the API itself sends
/// them in `error`, which makes SDKs raise it.
#[derive(Serialize)]
struct ErrorEvent<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    sequence_number: u64,
    code: Option<&'a str>,
    message: &'a str,
    param: Option<&'a str>,
    error: &'a ErrorBody<'a>,
}

impl<'o> EventWriter<'o> {
    pub const fn new(sequence_number: &'o mut u64, out: &'o mut Vec<u8>) -> Self {
        Self { sequence_number, out: Some(out) }
    }

    /// Returns a writer that writes nothing.
    pub const fn silent(sequence_number: &'o mut u64) -> Self {
        Self { sequence_number, out: None }
    }

    /// Writes an event of a type.
    pub fn write(&mut self, kind: &str, event: &Event<'_>) {
        let sequence_number = self.next_number();
        if let Some(out) = &mut self.out {
            append(out, kind, &NumberedEvent { kind, sequence_number, event });
        }
    }

    /// Writes an error event.
    pub fn write_error(&mut self, error: &ErrorBody<'_>) {
        let sequence_number = self.next_number();
        let (code, message, param) = (error.code, error.message, error.param);
        if let Some(out) = &mut self.out {
            let event = ErrorEvent { kind: "error", sequence_number, code, message, param, error };
            append(out, "error", &event);
        }
    }

    const fn next_number(&mut self) -> u64 {
        let number = *self.sequence_number;
        *self.sequence_number += 1;
        number
    }
}

fn append(out: &mut Vec<u8>, kind: &str, event: &impl Serialize) {
    for line in ["event: ", kind, "\ndata: "] {
        out.extend_from_slice(line.as_bytes());
    }
    // Strings, numbers and JSON into a vector: this cannot fail.
    let _ = serde_json::to_writer(&mut *out, event);
    out.extend_from_slice(b"\n\n");
}
