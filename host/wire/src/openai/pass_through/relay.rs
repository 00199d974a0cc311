//! Forwarding of a streamed answer.

use std::ops::Range;

use bytes::Bytes;
use pointsman_domain::usage::Usage;

use self::pattern::Pattern;
use super::usage;
use crate::answer::{BrokenStream, ReportedError, StreamState};
use crate::json::{Span, scan};
use crate::openai::provider::{AnswerVisitor, Completeness};
use crate::sse::{self, EventData, EventSplitter, RelayedChunk, SseFragment};
use crate::usage_count::UsageCount;

mod pattern;

/// Limit of bytes of an event that is parsed. A larger one is forwarded unread: no model writes
/// so much at once.
const MAX_EVENT: usize = 4 << 20;
const DONE: &[u8] = b"[DONE]";
/// Limit of bytes of comments that are forwarded before the first content. Until then the client
/// has no body that a comment could keep alive, and a server that sends nothing else must not
/// fill the memory.
const MAX_COMMENTS_BEFORE_CONTENT: usize = 1 << 10;

/// Relays a stream byte for byte, and parses it along the way for usage, length of the text and
/// completeness.
///
/// Further comments before the first content are omitted, and so is everything after `[DONE]`.
///
/// Usage that the client did not request is hidden: an event that has nothing else is dropped,
/// and the member is cut out of the others. An event that reports an error is always forwarded.
/// If an answer took further calls, forwarded usage is [the total](Self::with_other_usage).
#[derive(Debug)]
pub struct StreamRelay {
    hide_usage: bool,
    /// Usage of further calls for the same answer.
    others: Option<Usage>,
    splitter: EventSplitter,
    pattern: Pattern,
    count: UsageCount,
    output_bytes: u64,
    comment_bytes: usize,
    /// True if the next chunk may begin with the line feed that ends the last line of `[DONE]`.
    lacks_line_feed: bool,
    completeness: Completeness,
}

/// Treatment of an event.
enum EventAction {
    Pass,
    Drop,
    /// Forwards the event without this range.
    Cut(Range<usize>),
    /// Forwards these bytes in place of the event.
    Replace(Vec<u8>),
}

impl StreamRelay {
    /// Returns a relay for a stream that has not begun. `hide_usage` is for a client that did not
    /// request usage, `choices` the number of choices that it requested.
    pub const fn new(hide_usage: bool, choices: u32) -> Self {
        Self {
            hide_usage,
            others: None,
            splitter: EventSplitter::new(MAX_EVENT),
            pattern: Pattern::new(),
            count: UsageCount::NONE,
            output_bytes: 0,
            comment_bytes: 0,
            lacks_line_feed: false,
            completeness: Completeness::new(choices),
        }
    }

    /// Adds the usage of further calls to the usage that is forwarded. If it is zero, usage is
    /// forwarded as it arrived.
    #[must_use]
    pub const fn with_other_usage(mut self, others: Usage) -> Self {
        let is_any = others.input_tokens > 0 || others.output_tokens > 0;
        self.others = if is_any { Some(others) } else { None };
        self
    }

    /// Processes the next chunk, which may be cut anywhere, and appends the bytes to be sent for
    /// the events that are complete: at most one chunk, the same one if nothing in it changes.
    pub fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) {
        let mut relayed = RelayedChunk::new(&chunk);
        let mut at = 0;
        if std::mem::take(&mut self.lacks_line_feed) && chunk.first() == Some(&b'\n') {
            relayed.push_range(0..1);
        }
        while !self.completeness.is_done()
            && let Some(fragment) = self.splitter.next(&chunk, &mut at)
        {
            match fragment {
                SseFragment::Event(here) => match self.process(&chunk[here.clone()]) {
                    EventAction::Pass => relayed.push_range(here),
                    EventAction::Drop => {}
                    EventAction::Cut(cut) => {
                        relayed.push_range(here.start..here.start + cut.start);
                        relayed.push_range(here.start + cut.end..here.end);
                    }
                    EventAction::Replace(event) => relayed.push_bytes(&event),
                },
                SseFragment::Joined(event) => match self.process(&event) {
                    EventAction::Pass => relayed.push_held(&event),
                    EventAction::Drop => {}
                    EventAction::Cut(cut) => {
                        relayed.push_held(&event[..cut.start]);
                        relayed.push_held(&event[cut.end..]);
                    }
                    EventAction::Replace(event) => relayed.push_held(&event),
                },
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

    /// Ends the stream, and returns whether it is complete. An event that only lacks its empty
    /// line is forwarded.
    pub fn finish(&mut self, out: &mut Vec<Bytes>) -> Result<(), BrokenStream> {
        if let Some(rest) = self.splitter.finish().filter(|_| !self.completeness.is_done()) {
            match sse::data(&rest) {
                None => out.push(rest),
                Some(EventData { bytes, .. })
                    if is_done(&bytes) || scan(&bytes, &mut AnswerVisitor::default()).is_ok() =>
                {
                    self.push([&rest, &b"\n\n"[..]].concat().into(), out);
                }
                Some(_) => {}
            }
        }
        self.check()
    }

    /// Returns whether a stream that ends here is complete.
    pub fn check(&self) -> Result<(), BrokenStream> {
        self.completeness.check()
    }

    /// Returns the usage of this call: the backend's count where it can be true, else an estimate
    /// from the text so far for an input of about `input_tokens`.
    pub fn usage_or_estimate(&self, input_tokens: u32) -> Usage {
        self.count.usage(input_tokens, self.output_bytes)
    }

    /// Returns the state of the answer.
    pub fn state(&self) -> StreamState {
        self.completeness.state()
    }

    /// Returns whether content has arrived, so that no other attempt can take over.
    pub const fn has_content(&self) -> bool {
        self.completeness.has_content()
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

    /// Returns the error that the backend reported, if any.
    pub fn error(&self) -> Option<ReportedError> {
        self.completeness.error()
    }

    fn process(&mut self, event: &[u8]) -> EventAction {
        if let Some(found) = self.pattern.matches(event) {
            self.output_bytes += found.text_bytes as u64;
            if found.text_bytes > 0 {
                self.completeness.record_content();
            }
            return found.cut.map_or(EventAction::Pass, EventAction::Cut);
        }
        let Some(data) = sse::data(event) else { return self.event_without_data(event) };
        if is_done(&data.bytes) {
            self.completeness.record_done();
            self.lacks_line_feed = event.ends_with(b"\r");
            return EventAction::Pass;
        }
        let mut visited = AnswerVisitor::default();
        if scan(&data.bytes, &mut visited).is_err() {
            return EventAction::Pass;
        }
        let action = self.action(event, &data, &visited);
        self.count.update(visited.count);
        self.output_bytes += visited.output_bytes();
        self.completeness.record(&mut visited, &data.bytes);
        action
    }

    fn event_without_data(&mut self, event: &[u8]) -> EventAction {
        if self.completeness.has_content() || !sse::is_comment(event) {
            return EventAction::Pass;
        }
        self.comment_bytes = self.comment_bytes.saturating_add(event.len());
        if self.comment_bytes > MAX_COMMENTS_BEFORE_CONTENT { EventAction::Drop } else { EventAction::Pass }
    }

    fn action(&mut self, event: &[u8], data: &EventData<'_>, visited: &AnswerVisitor) -> EventAction {
        if visited.error.is_some() {
            return EventAction::Pass;
        }
        let hidden = visited.usage.as_ref().filter(|_| self.hide_usage);
        if hidden.is_some() && visited.has_usage && visited.choices == 0 {
            return EventAction::Drop;
        }
        if let Some(others) = self.others.filter(|_| !self.hide_usage && visited.count.is_complete())
            && let counted = visited.count.usage(0, 0)
            && let Some(data) = usage::rewritten(&data.bytes, others + counted)
        {
            return EventAction::Replace(sse::with_data(event, &data));
        }
        // Positions in the event are unknown if its data has several lines.
        let Some(offset) = data.at else {
            return hidden.map_or(EventAction::Pass, |usage| {
                let cut = with_comma(&data.bytes, usage.clone());
                let rest = [&data.bytes[..cut.start], &data.bytes[cut.end..]].concat();
                EventAction::Replace(sse::with_data(event, &rest))
            });
        };
        let in_event = |span: &Span| span.start + offset..span.end + offset;
        let cut = hidden.map(|usage| with_comma(event, in_event(usage)));
        if visited.texts == 1 && !visited.is_finished() {
            let text = in_event(&visited.last_text);
            let padding = visited.padding.as_ref().map(in_event).filter(|padding| padding.start >= text.end);
            self.pattern.learn(event, text, padding, cut.clone());
        }
        cut.map_or(EventAction::Pass, EventAction::Cut)
    }

    fn record_unparsed(&mut self, bytes: usize) {
        self.output_bytes += bytes as u64;
        self.completeness.record_content();
    }
}

fn is_done(data: &[u8]) -> bool {
    data.trim_ascii() == DONE
}

/// Extends the range of a member by the comma before it, or by the one after it if the member is
/// the first.
fn with_comma(event: &[u8], member: Range<usize>) -> Range<usize> {
    let is_space = |byte: &u8| byte.is_ascii_whitespace();
    let before = event[..member.start].trim_ascii_end();
    if before.ends_with(b",") {
        return before.len() - 1..member.end;
    }
    let spaces = event[member.end..].iter().take_while(|byte| is_space(byte)).count();
    let comma = member.end + spaces;
    member.start..if event.get(comma) == Some(&b',') { comma + 1 } else { member.end }
}

#[cfg(test)]
mod tests;
