//! Forwarding of streamed answers.

use std::ops::Range;

use bytes::Bytes;
use pointsman_domain::usage::Usage;
use pointsman_wire::answer::{BrokenStream, ReportedError, StreamState};
use pointsman_wire::sse::{self, EventSplitter, SseFragment};
use pointsman_wire::usage_count::UsageCount;

use self::event::{EventContent, RelayedEvent};
use super::answer::reported;

mod event;

/// Limit of bytes of an event that is parsed. Events with the whole response are the largest.
const MAX_EVENT: usize = 16 << 20;
/// Limit of bytes of comments that are forwarded before the first content. Until then the client
/// has no body that a comment could keep alive, and a server that sends nothing else must not
/// fill the memory.
const MAX_COMMENTS_BEFORE_CONTENT: usize = 1 << 10;

/// Relays a stream byte for byte, and reads it along the way for usage, length of the text,
/// completeness and the id of the response.
///
/// Further comments before the first content are omitted, and so is everything after the event
/// that ends the response.
#[derive(Debug)]
pub struct ResponsesRelay {
    splitter: EventSplitter,
    response_id: Option<String>,
    /// Ids of the items of the response, once it is complete.
    item_ids: Vec<String>,
    count: UsageCount,
    output_bytes: u64,
    comment_bytes: usize,
    has_content: bool,
    /// True once the response is complete, or incomplete for a reason that it states.
    is_complete: bool,
    is_done: bool,
    /// True if the next chunk may begin with the line feed that ends the last line.
    lacks_line_feed: bool,
    /// First reported error, and its message.
    error: Option<(ReportedError, String)>,
}

impl Default for ResponsesRelay {
    fn default() -> Self {
        Self::new()
    }
}

impl ResponsesRelay {
    /// Returns a relay for a stream that has not begun.
    pub const fn new() -> Self {
        Self {
            splitter: EventSplitter::new(MAX_EVENT),
            response_id: None,
            item_ids: Vec::new(),
            count: UsageCount::NONE,
            output_bytes: 0,
            comment_bytes: 0,
            has_content: false,
            is_complete: false,
            is_done: false,
            lacks_line_feed: false,
            error: None,
        }
    }

    /// Processes the next chunk, which may be cut anywhere, and appends the bytes to be sent for
    /// the events that are complete. They are parts of the chunk, unless an event began in an
    /// earlier one.
    pub fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) {
        let mut relayed = RelayedRange { chunk: &chunk, range: 0..0 };
        let mut at = 0;
        if std::mem::take(&mut self.lacks_line_feed) && chunk.first() == Some(&b'\n') {
            relayed.push(0..1, out);
        }
        while !self.is_done
            && let Some(fragment) = self.splitter.next(&chunk, &mut at)
        {
            match fragment {
                SseFragment::Event(range) => {
                    if self.process(chunk.get(range.clone()).unwrap_or_default()) {
                        relayed.push(range, out);
                    }
                }
                SseFragment::Joined(event) => {
                    if self.process(&event) {
                        out.push(event);
                    }
                }
                SseFragment::Part(range) => {
                    self.record_unparsed(range.len());
                    relayed.push(range, out);
                }
                SseFragment::JoinedPart(part) => {
                    self.record_unparsed(part.len());
                    out.push(part);
                }
            }
        }
        relayed.flush(out);
    }

    /// Ends the stream, and returns whether it is complete. An event that only lacks its empty
    /// line is forwarded.
    ///
    /// # Errors
    /// Fails if the response has not ended, or the provider reported an error.
    pub fn finish(&mut self, out: &mut Vec<Bytes>) -> Result<(), BrokenStream> {
        if let Some(rest) = self.splitter.finish().filter(|_| !self.is_done) {
            match sse::data(&rest) {
                None => out.push(rest),
                Some(data) if RelayedEvent::parse(&data.bytes).is_some() => {
                    self.push([&rest, &b"\n\n"[..]].concat().into(), out);
                }
                Some(_) => {}
            }
        }
        self.check()
    }

    /// Returns whether a stream that ends here is complete.
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

    /// Returns the state of the answer.
    pub const fn state(&self) -> StreamState {
        if self.is_done {
            StreamState::Done
        } else if self.error.is_some() {
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

    /// Returns the bytes of text that the model wrote: content, reasoning, refusal and arguments
    /// of tools.
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

    /// Returns the usage of this call: the provider's count where it can be true, else an estimate
    /// from the text so far for an input of about `input_tokens`.
    pub fn usage_or_estimate(&self, input_tokens: u32) -> Usage {
        self.count.usage(input_tokens, self.output_bytes)
    }

    /// Returns the id by which the client may refer to the response at its provider, once it is
    /// known: the latest, as some servers change it.
    pub fn response_id(&self) -> Option<&str> {
        self.response_id.as_deref()
    }

    /// Returns the ids of the items of the response once it is complete, and forgets them.
    pub fn take_item_ids(&mut self) -> Vec<String> {
        std::mem::take(&mut self.item_ids)
    }

    /// Reads an event, and returns whether it is forwarded.
    fn process(&mut self, event: &[u8]) -> bool {
        let Some(data) = sse::data(event) else { return self.passes_without_data(event) };
        let Some(parsed) = RelayedEvent::parse(&data.bytes) else { return true };
        match parsed.content() {
            EventContent::None => {}
            EventContent::Response { id } => self.response_id = id.or(self.response_id.take()),
            EventContent::Text { bytes } => {
                self.output_bytes += bytes;
                self.has_content = true;
            }
            EventContent::Item => self.has_content = true,
            EventContent::End { id, item_ids, count, output_bytes, has_output } => {
                self.response_id = id.or(self.response_id.take());
                self.item_ids = item_ids;
                self.count.update(count);
                // Deltas are optional: some servers send items as a whole.
                self.output_bytes = self.output_bytes.max(output_bytes);
                self.has_content |= has_output;
                self.is_complete = true;
                self.is_done = true;
            }
            EventContent::Error { error, ends_stream } => {
                let message = || error.message.clone();
                self.error.get_or_insert_with(|| (reported(&error, &data.bytes), message()));
                self.is_done |= ends_stream;
            }
        }
        self.lacks_line_feed = self.is_done && event.ends_with(b"\r");
        true
    }

    fn passes_without_data(&mut self, event: &[u8]) -> bool {
        if self.has_content || !sse::is_comment(event) {
            return true;
        }
        self.comment_bytes = self.comment_bytes.saturating_add(event.len());
        self.comment_bytes <= MAX_COMMENTS_BEFORE_CONTENT
    }

    const fn record_unparsed(&mut self, bytes: usize) {
        self.output_bytes += bytes as u64;
        self.has_content = true;
    }
}

/// Range of a chunk that is forwarded.
struct RelayedRange<'a> {
    chunk: &'a Bytes,
    range: Range<usize>,
}

impl RelayedRange<'_> {
    fn push(&mut self, range: Range<usize>, out: &mut Vec<Bytes>) {
        if self.range.end == range.start && !self.range.is_empty() {
            self.range.end = range.end;
            return;
        }
        self.flush(out);
        self.range = range;
    }

    fn flush(&mut self, out: &mut Vec<Bytes>) {
        let range = std::mem::take(&mut self.range);
        if !range.is_empty() {
            out.push(self.chunk.slice(range));
        }
    }
}

#[cfg(test)]
mod tests;
