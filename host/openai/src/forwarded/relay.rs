//! Forwarding of answers that arrive bit by bit: events, and the bytes of a recording.

use std::borrow::Cow;

use bytes::Bytes;
use pointsman_domain::usage::Usage;
use pointsman_wire::answer::{BrokenStream, ReportedError, StreamState};
use pointsman_wire::openai::provider::classify_error;
use pointsman_wire::sse::{self, EventSplitter, SseFragment};
use pointsman_wire::usage_count::UsageCount;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::api::ForwardedApi;
use super::usage::UsageMembers;

/// Limit of bytes of an event that is parsed. Events with a whole image are the largest; those above
/// the limit are forwarded unread.
const MAX_EVENT: usize = 32 << 20;

/// Division of an answer into parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayFraming {
    /// Server-sent events.
    Events,
    /// Bytes without structure.
    Bytes,
}

/// Relays an answer byte for byte, and reads its events for usage, completeness and errors.
#[derive(Debug)]
pub struct ForwardedRelay {
    api: ForwardedApi,
    /// Splitter of events; `None` for bytes without structure.
    splitter: Option<EventSplitter>,
    count: UsageCount,
    output_bytes: u64,
    has_content: bool,
    is_complete: bool,
    /// First reported error, and its message.
    error: Option<(ReportedError, String)>,
}

/// Members of an event that are read.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
}

impl ForwardedRelay {
    /// Returns a relay for an answer that has not begun.
    pub const fn new(api: ForwardedApi, framing: RelayFraming) -> Self {
        let splitter = match framing {
            RelayFraming::Events => Some(EventSplitter::new(MAX_EVENT)),
            RelayFraming::Bytes => None,
        };
        Self {
            api,
            splitter,
            count: UsageCount::NONE,
            output_bytes: 0,
            has_content: false,
            is_complete: false,
            error: None,
        }
    }

    /// Returns the division of the answer into parts.
    pub const fn framing(&self) -> RelayFraming {
        match self.splitter {
            Some(_) => RelayFraming::Events,
            None => RelayFraming::Bytes,
        }
    }

    /// Processes the next chunk, which may be cut anywhere, and appends the bytes to be sent.
    pub fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) {
        let Some(mut splitter) = self.splitter.take() else {
            if !chunk.is_empty() {
                self.has_content = true;
                out.push(chunk);
            }
            return;
        };
        let mut at = 0;
        while let Some(fragment) = splitter.next(&chunk, &mut at) {
            match fragment {
                SseFragment::Event(range) => {
                    self.process(chunk.get(range.clone()).unwrap_or_default());
                    out.push(chunk.slice(range));
                }
                SseFragment::Joined(event) => {
                    self.process(&event);
                    out.push(event);
                }
                SseFragment::Part(range) => {
                    self.has_content = true;
                    out.push(chunk.slice(range));
                }
                SseFragment::JoinedPart(part) => {
                    self.has_content = true;
                    out.push(part);
                }
            }
        }
        self.splitter = Some(splitter);
    }

    /// Ends the answer, and returns whether it is complete.
    ///
    /// # Errors
    /// Fails if the last event is missing, or the provider reported an error.
    pub fn finish(&mut self, out: &mut Vec<Bytes>) -> Result<(), BrokenStream> {
        if let Some(rest) = self.splitter.as_mut().and_then(EventSplitter::finish) {
            self.process(&rest);
            out.push(rest);
        }
        self.is_complete |= self.splitter.is_none() && self.has_content;
        self.check()
    }

    /// Returns whether an answer that ends here is complete.
    ///
    /// # Errors
    /// Fails as [`finish`](Self::finish) does.
    pub fn check(&self) -> Result<(), BrokenStream> {
        match &self.error {
            Some((error, message)) => Err(BrokenStream::Reported(*error, message.clone())),
            None if self.is_complete => Ok(()),
            None => Err(BrokenStream::Truncated),
        }
    }

    /// Returns the state of the answer. After an image, another one may follow.
    pub const fn state(&self) -> StreamState {
        let is_last = !matches!(self.api, ForwardedApi::ImageGenerations | ForwardedApi::ImageEdits);
        if self.error.is_some() || (self.is_complete && is_last) {
            StreamState::Finished
        } else if self.has_content {
            StreamState::Answering
        } else {
            StreamState::Waiting
        }
    }

    /// Returns whether content has arrived, so that no other attempt can take over.
    pub const fn has_content(&self) -> bool {
        self.has_content
    }

    /// Returns the bytes of an incomplete event that are held until its end arrives.
    pub fn held_bytes(&self) -> usize {
        self.splitter.as_ref().map_or(0, EventSplitter::held_bytes)
    }

    /// Returns the error that the provider reported, if any.
    pub fn error(&self) -> Option<ReportedError> {
        self.error.as_ref().map(|(error, _)| *error)
    }

    /// Returns the usage of this call: the provider's count where it can be true, else an estimate
    /// for an input of about `input_tokens`.
    pub fn usage_or_estimate(&self, input_tokens: u32) -> Usage {
        self.count.usage(input_tokens, self.output_bytes)
    }

    fn process(&mut self, event: &[u8]) {
        let Some(data) = sse::data(event) else { return };
        if data.bytes.trim_ascii() == b"[DONE]" {
            self.is_complete = true;
            return;
        }
        let Ok(event) = serde_json::from_slice::<Event<'_>>(&data.bytes) else { return };
        let is_error = event.error.is_some_and(|error| error.get() != "null");
        if is_error || event.kind == "error" {
            let cause = classify_error(500, &data.bytes);
            let message = event.message.or_else(|| event.error.and_then(message_of)).unwrap_or_default();
            self.error.get_or_insert((ReportedError { status: None, cause }, message.into_owned()));
            return;
        }
        self.has_content = true;
        if let Some(usage) =
            event.usage.and_then(|it| serde_json::from_str::<UsageMembers<'_>>(it.get()).ok())
        {
            self.count.update(usage.count(true));
        }
        if event.kind.ends_with(".done") || event.kind.ends_with(".completed") {
            self.is_complete = true;
            self.output_bytes += event.text.map_or(0, |text| text.len() as u64);
        }
    }
}

fn message_of<'a>(error: &'a RawValue) -> Option<Cow<'a, str>> {
    #[derive(Deserialize)]
    struct Message<'a> {
        #[serde(borrow)]
        message: Cow<'a, str>,
    }
    serde_json::from_str::<Message<'a>>(error.get()).ok().map(|error| error.message)
}

#[cfg(test)]
mod tests;
