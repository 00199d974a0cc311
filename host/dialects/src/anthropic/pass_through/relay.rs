//! Forwarding of a streamed answer.

use std::borrow::Cow;

use bytes::Bytes;
use pointsman_domain::usage::Usage;
use pointsman_wire::answer::{BrokenStream, ReportedError, StreamState};
use pointsman_wire::openai::provider::classify_error;
use pointsman_wire::sse::{self, EventSplitter, RelayedChunk, SseFragment};
use pointsman_wire::usage_count::UsageCount;

use crate::anthropic::MessagesStreamReader;
use crate::form::{AnswerEvent, PartDelta, PartStart, StreamReader};

/// Limit of bytes of an event that is parsed. A larger one is forwarded unread: no model writes so
/// much at once.
const MAX_EVENT: usize = 4 << 20;
/// Limit of bytes of comments and pings that are forwarded before the first content: a server that
/// sends nothing else must not fill the memory.
const MAX_IDLE_BYTES_BEFORE_CONTENT: usize = 1 << 10;

/// Relays a stream byte for byte, and parses it along the way for usage, length of the text and
/// completeness.
///
/// Further comments and pings before the first content are omitted, and so is everything after
/// `message_stop`.
#[derive(Debug)]
pub struct MessagesRelay {
    splitter: EventSplitter,
    reader: MessagesStreamReader,
    events: Vec<AnswerEvent>,
    count: UsageCount,
    output_bytes: u64,
    idle_bytes: usize,
    has_content: bool,
    has_stopped: bool,
    is_done: bool,
    /// First reported error, and its message.
    error: Option<(ReportedError, String)>,
}

impl Default for MessagesRelay {
    fn default() -> Self {
        Self::new()
    }
}

impl MessagesRelay {
    /// Returns a relay for a stream that has not begun.
    pub fn new() -> Self {
        Self {
            splitter: EventSplitter::new(MAX_EVENT),
            reader: MessagesStreamReader::new(),
            events: Vec::new(),
            count: UsageCount::NONE,
            output_bytes: 0,
            idle_bytes: 0,
            has_content: false,
            has_stopped: false,
            is_done: false,
            error: None,
        }
    }

    /// Processes the next chunk, which may be cut anywhere, and appends the bytes to be sent for
    /// the events that are complete: at most one chunk, the same one if nothing in it changes.
    pub fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) {
        let mut relayed = RelayedChunk::new(&chunk);
        let mut at = 0;
        while !self.is_done
            && let Some(fragment) = self.splitter.next(&chunk, &mut at)
        {
            match fragment {
                SseFragment::Event(here) => {
                    if self.process(&chunk[here.clone()]) {
                        relayed.push_range(here);
                    }
                }
                SseFragment::Joined(event) => {
                    if self.process(&event) {
                        relayed.push_held(&event);
                    }
                }
                SseFragment::Part(here) => {
                    self.record_unparsed(here.len());
                    relayed.push_range(here);
                }
                SseFragment::JoinedPart(part) => {
                    self.record_unparsed(part.len());
                    relayed.push_held(&part);
                }
            }
        }
        out.extend(relayed.finish());
    }

    /// Ends the stream, and returns whether it is complete. An event that only lacks its empty line
    /// is forwarded.
    ///
    /// # Errors
    /// Fails if the stream is not complete.
    pub fn finish(&mut self, out: &mut Vec<Bytes>) -> Result<(), BrokenStream> {
        if let Some(rest) = self.splitter.finish().filter(|_| !self.is_done) {
            match sse::data(&rest) {
                None => out.push(rest),
                Some(data) if serde_json::from_slice::<serde::de::IgnoredAny>(&data.bytes).is_ok() => {
                    self.push([&rest, &b"\n\n"[..]].concat().into(), out);
                }
                Some(_) => {}
            }
        }
        self.reader.finish(&mut self.events);
        self.record(b"");
        self.check()
    }

    /// Returns whether a stream that ends here is complete.
    ///
    /// # Errors
    /// Fails if it is not.
    pub fn check(&self) -> Result<(), BrokenStream> {
        match &self.error {
            Some((error, message)) => Err(BrokenStream::Reported(*error, message.clone())),
            None if self.has_stopped || (self.is_done && self.has_content) => Ok(()),
            None => Err(BrokenStream::Truncated),
        }
    }

    /// Returns the usage of this call: the provider's count where it can be true, else an estimate
    /// from the text so far for an input of about `input_tokens`.
    pub fn usage_or_estimate(&self, input_tokens: u32) -> Usage {
        self.count.usage(input_tokens, self.output_bytes)
    }

    /// Returns the state of the answer.
    pub const fn state(&self) -> StreamState {
        if self.is_done && self.error.is_none() {
            StreamState::Done
        } else if self.error.is_some() || self.has_stopped {
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

    /// Returns the bytes of text that the model wrote: content, reasoning, refusal and arguments of
    /// tools.
    pub const fn output_bytes(&self) -> u64 {
        self.output_bytes
    }

    /// Returns the bytes of an incomplete event that are held until its end arrives.
    pub const fn held_bytes(&self) -> usize {
        self.splitter.held_bytes()
    }

    /// Returns the error that the provider reported, if any.
    pub fn error(&self) -> Option<ReportedError> {
        self.error.as_ref().map(|(error, _)| *error)
    }

    /// Reads an event, and returns whether it is forwarded.
    fn process(&mut self, event: &[u8]) -> bool {
        let Some(data) = sse::data(event) else { return !sse::is_comment(event) || self.has_room(event) };
        self.reader.read(&data.bytes, &mut self.events);
        let is_ping = self.events.is_empty() && is_ping(&data.bytes);
        self.record(&data.bytes);
        !is_ping || self.has_room(event)
    }

    /// Returns whether an event that says nothing is forwarded.
    const fn has_room(&mut self, event: &[u8]) -> bool {
        if self.has_content {
            return true;
        }
        self.idle_bytes = self.idle_bytes.saturating_add(event.len());
        self.idle_bytes <= MAX_IDLE_BYTES_BEFORE_CONTENT
    }

    fn record(&mut self, data: &[u8]) {
        for event in self.events.drain(..) {
            match event {
                AnswerEvent::Start(_) | AnswerEvent::PartEnd => {}
                AnswerEvent::PartStart(PartStart::ToolCall { name, .. }) => {
                    self.output_bytes += name.len() as u64;
                    self.has_content = true;
                }
                AnswerEvent::PartStart(PartStart::Provider(_) | PartStart::Media(_)) => {
                    self.has_content = true;
                }
                AnswerEvent::PartStart(_) => {}
                AnswerEvent::Delta(delta) => {
                    self.has_content = true;
                    if let PartDelta::Text(text) | PartDelta::ToolInput(text) = delta {
                        self.output_bytes += text.len() as u64;
                    }
                }
                AnswerEvent::Stop(_) => self.has_stopped = true,
                AnswerEvent::Usage(count) => self.count.update(count),
                AnswerEvent::Error(error) => {
                    let cause = classify_error(error.status, data);
                    let reported = ReportedError { status: Some(error.status), cause };
                    self.error.get_or_insert((reported, error.message));
                }
                AnswerEvent::Done => self.is_done = true,
            }
        }
    }

    const fn record_unparsed(&mut self, bytes: usize) {
        self.output_bytes += bytes as u64;
        self.has_content = true;
    }
}

fn is_ping(data: &[u8]) -> bool {
    /// Beginning of an event.
    #[derive(serde::Deserialize)]
    struct EventType<'a> {
        #[serde(borrow, rename = "type")]
        kind: Cow<'a, str>,
    }

    serde_json::from_slice::<EventType<'_>>(data).is_ok_and(|event| event.kind == "ping")
}

#[cfg(test)]
mod tests;
