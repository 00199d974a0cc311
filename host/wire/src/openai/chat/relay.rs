use std::ops::Range;

use bytes::Bytes;
use pointsman_domain::outcome::Usage;

use self::pattern::Pattern;
use super::answer::{Reading, estimate};
use super::usage;
use crate::json::{Span, scan};
use crate::sse::{self, Data, Piece, Splitter};

mod pattern;

/// An event larger than this goes by unread: no model writes so much at once.
const MAX_EVENT: usize = 4 << 20;
const DONE: &[u8] = b"[DONE]";

/// Passes a stream on, byte for byte, and reads along: usage, how much was
/// written, how it ended.
///
/// Comments before the first content are left out.
///
/// What the gateway asked for itself, it hides: when the client did not want
/// usage, the event that has nothing else is dropped, and `"usage":null` is cut
/// out of the others. Where more calls than this one were made for an answer,
/// usage that is passed on is [that of all](Self::adding).
#[derive(Debug)]
pub struct StreamRelay {
    hide_usage: bool,
    /// What other calls for the same answer used.
    others: Option<Usage>,
    splitter: Splitter,
    pattern: Pattern,
    usage: Option<Usage>,
    output_bytes: u64,
    is_meaningful: bool,
    is_finished: bool,
    is_done: bool,
    error: Option<String>,
}

/// How a stream ended that is not whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenStream {
    /// It broke off: neither `[DONE]` nor a reason to finish came.
    #[error("the stream ended before the answer did")]
    Truncated,
    /// The backend said so in the stream.
    #[error("the backend reported an error in the stream: {0}")]
    Reported(String),
}

/// What becomes of an event.
enum Verdict {
    Pass,
    Drop,
    /// Passed without these bytes of it.
    Cut(Range<usize>),
    /// This is passed in its place.
    Replace(Vec<u8>),
}

impl StreamRelay {
    /// Before the first byte. `hide_usage` when the client did not ask for it.
    pub const fn new(hide_usage: bool) -> Self {
        Self {
            hide_usage,
            others: None,
            splitter: Splitter::new(MAX_EVENT),
            pattern: Pattern::new(),
            usage: None,
            output_bytes: 0,
            is_meaningful: false,
            is_finished: false,
            is_done: false,
            error: None,
        }
    }

    /// Adds what other calls used to the usage that is passed on. Where that is
    /// nothing, usage is passed on as it came.
    #[must_use]
    pub const fn adding(mut self, others: Usage) -> Self {
        let is_any = others.input_tokens > 0 || others.output_tokens > 0;
        self.others = if is_any { Some(others) } else { None };
        self
    }

    /// Reads the next chunk, cut anywhere, and appends what is to be sent of the
    /// events that are complete: at most one chunk, the same one if nothing in
    /// it changes.
    pub fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) {
        let mut kept = Kept { chunk: &chunk, range: 0..0, copy: Vec::new() };
        let mut at = 0;
        while let Some(piece) = self.splitter.next(&chunk, &mut at) {
            match piece {
                Piece::Event(here) => match self.event(&chunk[here.clone()]) {
                    Verdict::Pass => kept.keep(here),
                    Verdict::Drop => {}
                    Verdict::Cut(cut) => {
                        kept.keep(here.start..here.start + cut.start);
                        kept.keep(here.start + cut.end..here.end);
                    }
                    Verdict::Replace(event) => kept.keep_other(&event),
                },
                Piece::Joined(event) => match self.event(&event) {
                    Verdict::Pass => kept.keep_copy(&event),
                    Verdict::Drop => {}
                    Verdict::Cut(cut) => {
                        kept.keep_copy(&event[..cut.start]);
                        kept.keep_copy(&event[cut.end..]);
                    }
                    Verdict::Replace(event) => kept.keep_copy(&event),
                },
                Piece::Part(here) => {
                    self.unread(here.len());
                    kept.keep(here);
                }
                Piece::JoinedPart(part) => {
                    self.unread(part.len());
                    kept.keep_copy(&part);
                }
            }
        }
        out.extend(kept.finish());
    }

    /// Says that the stream has ended, and tells whether it is whole. An event
    /// that only lacks its empty line is passed on.
    pub fn finish(&mut self, out: &mut Vec<Bytes>) -> Result<(), BrokenStream> {
        if let Some(rest) = self.splitter.finish() {
            match sse::data(&rest) {
                None => out.push(rest),
                Some(Data { bytes, .. })
                    if *bytes == *DONE || scan(&bytes, &mut Reading::default()).is_ok() =>
                {
                    self.push([&rest, &b"\n\n"[..]].concat().into(), out);
                }
                Some(_) => {}
            }
        }
        match &self.error {
            Some(message) => Err(BrokenStream::Reported(message.clone())),
            None if self.is_done || self.is_finished => Ok(()),
            None => Err(BrokenStream::Truncated),
        }
    }

    /// Tokens of this call as the backend counted them, once it did.
    pub const fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// The backend's count, or an estimate from what came so far for an input of
    /// so many tokens.
    pub fn usage_or_estimate(&self, input_tokens: u32) -> Usage {
        self.usage.unwrap_or_else(|| estimate(input_tokens, self.output_bytes))
    }

    /// Whether something came that the client cannot get twice: text, a call of
    /// a tool, or the reason why the answer ended. A role alone is none.
    pub const fn meaningful_bytes_seen(&self) -> bool {
        self.is_meaningful
    }

    /// Bytes of text that the model wrote: content, reasoning, refusal and
    /// arguments of tools.
    pub const fn output_bytes(&self) -> u64 {
        self.output_bytes
    }

    /// Bytes of an incomplete event that are held until its end comes.
    pub const fn held_bytes(&self) -> usize {
        self.splitter.held_bytes()
    }

    /// Whether `[DONE]` came.
    pub const fn done(&self) -> bool {
        self.is_done
    }

    /// What the backend said went wrong, if it did.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    fn event(&mut self, event: &[u8]) -> Verdict {
        if let Some(like) = self.pattern.read(event) {
            self.output_bytes += like.text_bytes as u64;
            self.is_meaningful |= like.text_bytes > 0;
            return like.cut.map_or(Verdict::Pass, Verdict::Cut);
        }
        let Some(data) = sse::data(event) else {
            // Until the first content the client has no body that a comment could keep
            // alive, and a server that sends nothing else must not fill the memory.
            let is_idle = !self.is_meaningful && sse::is_comment(event);
            return if is_idle { Verdict::Drop } else { Verdict::Pass };
        };
        if *data.bytes == *DONE {
            self.is_done = true;
            return Verdict::Pass;
        }
        let mut reading = Reading::default();
        if scan(&data.bytes, &mut reading).is_err() {
            return Verdict::Pass;
        }
        let verdict = self.verdict(event, &data, &reading);
        self.note(reading);
        verdict
    }

    fn verdict(&mut self, event: &[u8], data: &Data<'_>, reading: &Reading) -> Verdict {
        let counted = reading.usage.complete();
        if self.hide_usage && reading.has_choices && reading.choices == 0 && counted.is_some() {
            return Verdict::Drop;
        }
        if let Some((others, counted)) = self.others.zip(counted)
            && let Some(data) = usage::rewritten(&data.bytes, sum(others, counted))
        {
            return Verdict::Replace(sse::with_data(event, &data));
        }
        // Of data in several lines, the places in the event are not known.
        let Some(offset) = data.at else { return Verdict::Pass };
        let null_usage = reading.null_usage.as_ref().filter(|_| self.hide_usage);
        let cut = null_usage.map(|span| with_comma(event, span.start + offset..span.end + offset));
        if reading.texts == 1 && !reading.is_finished && reading.error.is_none() {
            let in_event = |span: &Span| span.start + offset..span.end + offset;
            let text = in_event(&reading.last_text);
            let padding = reading.padding.as_ref().map(in_event).filter(|padding| padding.start >= text.end);
            self.pattern.learn(event, text, padding, cut.clone());
        }
        cut.map_or(Verdict::Pass, Verdict::Cut)
    }

    fn note(&mut self, reading: Reading) {
        self.usage = reading.usage.complete().or(self.usage);
        self.output_bytes += reading.text_bytes;
        self.is_meaningful |= reading.is_meaningful;
        self.is_finished |= reading.is_finished;
        if let Some(message) = reading.error {
            self.error.get_or_insert(message);
        }
    }

    fn unread(&mut self, bytes: usize) {
        self.output_bytes += bytes as u64;
        self.is_meaningful = true;
    }
}

fn sum(one: Usage, other: Usage) -> Usage {
    Usage {
        input_tokens: one.input_tokens.saturating_add(other.input_tokens),
        output_tokens: one.output_tokens.saturating_add(other.output_tokens),
        estimated: one.estimated || other.estimated,
    }
}

/// A member with the comma before it, or after it if it is the first.
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

/// What is kept of a chunk, put together only when something in between is not.
struct Kept<'a> {
    chunk: &'a Bytes,
    range: Range<usize>,
    copy: Vec<u8>,
}

impl Kept<'_> {
    fn keep(&mut self, range: Range<usize>) {
        if !self.copy.is_empty() {
            self.copy.extend_from_slice(&self.chunk[range]);
        } else if self.range.is_empty() {
            self.range = range;
        } else if self.range.end == range.start {
            self.range.end = range.end;
        } else {
            self.keep_other(&self.chunk[range]);
        }
    }

    /// Keeps what is not in the chunk next to what was kept of it.
    fn keep_other(&mut self, bytes: &[u8]) {
        self.copy.extend_from_slice(&self.chunk[std::mem::take(&mut self.range)]);
        self.copy.extend_from_slice(bytes);
    }

    /// Keeps what was held back from earlier chunks: it comes first.
    fn keep_copy(&mut self, bytes: &[u8]) {
        self.copy.extend_from_slice(bytes);
    }

    fn finish(self) -> Option<Bytes> {
        if !self.copy.is_empty() {
            return Some(self.copy.into());
        }
        (!self.range.is_empty()).then(|| self.chunk.slice(self.range))
    }
}

#[cfg(test)]
mod tests;
