//! Server-sent events in chunks that are cut anywhere.
//!
//! An event ends with an empty line, and a line with LF, CR or CRLF (WHATWG HTML, "Server-sent
//! events"). The bytes of an event are preserved, so that it can be forwarded unchanged.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use memchr::memchr2;

/// Media type of a stream of events.
pub const MEDIA_TYPE: &str = "text/event-stream";

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Returns whether a body can only be a stream of events, judging by its beginning, whatever its
/// stated media type; `None` as long as too little of it is known.
pub fn is_event_stream(beginning: &[u8]) -> Option<bool> {
    let first = beginning.strip_prefix(BYTE_ORDER_MARK).unwrap_or(beginning).trim_ascii_start();
    let fields: [&[u8]; 5] = [b":", b"data:", b"event:", b"id:", b"retry:"];
    if fields.iter().any(|field| first.starts_with(field)) {
        return Some(true);
    }
    let is_cut = fields.iter().any(|field| field.starts_with(first)) || BYTE_ORDER_MARK.starts_with(first);
    (!is_cut).then_some(false)
}

/// Splits a stream into events. At most one incomplete event is held back.
#[derive(Debug)]
pub struct EventSplitter {
    lines: LineScanner,
    /// Beginning of an event from earlier chunks.
    held: Vec<u8>,
    max_event: usize,
    /// True if the current event is too large to be held back, so that it is returned in parts.
    is_oversized: bool,
}

/// Event, or part of an event, in a chunk.
#[derive(Debug, PartialEq, Eq)]
pub enum SseFragment {
    /// Event that is entirely in the chunk, at this range.
    Event(Range<usize>),
    /// Event whose beginning was held back.
    Joined(Bytes),
    /// Part of an event above the limit, at this range of the chunk.
    Part(Range<usize>),
    /// First part of such an event, with the bytes that were held back.
    JoinedPart(Bytes),
}

impl EventSplitter {
    /// Returns a splitter that holds back events of at most `max_event` bytes.
    pub const fn new(max_event: usize) -> Self {
        Self { lines: LineScanner::new(), held: Vec::new(), max_event, is_oversized: false }
    }

    /// Returns the next fragment of a chunk from `at` on, which is moved behind it; `None` once
    /// the chunk is used up.
    pub fn next(&mut self, chunk: &[u8], at: &mut usize) -> Option<SseFragment> {
        let start = *at;
        let rest = chunk.get(start..).filter(|rest| !rest.is_empty())?;
        let event = self.lines.end_of_event(rest);
        *at = start + event.unwrap_or(rest.len());
        let here = start..*at;
        if self.is_oversized {
            self.is_oversized = event.is_none();
            return Some(SseFragment::Part(here));
        }
        if event.is_some() && self.held.is_empty() {
            return Some(SseFragment::Event(here));
        }
        self.held.extend_from_slice(&chunk[here]);
        if event.is_some() {
            return Some(SseFragment::Joined(std::mem::take(&mut self.held).into()));
        }
        if self.held.len() > self.max_event {
            self.is_oversized = true;
            return Some(SseFragment::JoinedPart(std::mem::take(&mut self.held).into()));
        }
        None
    }

    /// Returns the bytes that are allocated for the incomplete event.
    pub const fn held_bytes(&self) -> usize {
        self.held.capacity()
    }

    /// Returns the incomplete event at the end of the stream, if there is one.
    pub fn finish(&mut self) -> Option<Bytes> {
        let held = std::mem::take(&mut self.held);
        (!held.is_empty()).then(|| held.into())
    }
}

/// Finds empty lines.
#[derive(Debug)]
struct LineScanner {
    /// True if the current line has no byte yet.
    is_empty: bool,
    /// True if the last byte was CR: an LF would belong to it.
    after_cr: bool,
}

impl LineScanner {
    const fn new() -> Self {
        Self { is_empty: true, after_cr: false }
    }

    /// Returns how many of these bytes, which follow those of earlier calls, belong to the
    /// current event; `None` if all do and it has not ended.
    ///
    /// An event ends with its last CR, so that it can be forwarded at once. If LF follows in the
    /// next chunk, that becomes the first byte of the next event.
    fn end_of_event(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(line) = memchr2(b'\n', b'\r', &bytes[at..]) {
            let is_lf = bytes[at + line] == b'\n';
            if line > 0 {
                *self = Self { is_empty: false, after_cr: false };
            }
            at += line + 1;
            if is_lf && self.after_cr {
                self.after_cr = false;
                continue;
            }
            self.after_cr = !is_lf;
            if self.is_empty {
                if self.after_cr && bytes.get(at) == Some(&b'\n') {
                    self.after_cr = false;
                    at += 1;
                }
                return Some(at);
            }
            self.is_empty = true;
        }
        if at < bytes.len() {
            *self = Self { is_empty: false, after_cr: false };
        }
        None
    }
}

/// Data of an event.
#[derive(Debug, PartialEq, Eq)]
pub struct EventData<'a> {
    /// Values of the `data` lines, joined by LF.
    pub bytes: Cow<'a, [u8]>,
    /// Offset of those bytes in the event, if they are one line.
    pub at: Option<usize>,
}

/// Returns the data of an event; `None` if it has none.
pub fn data(event: &[u8]) -> Option<EventData<'_>> {
    let mut data: Option<EventData<'_>> = None;
    // A byte order mark may come before the first event (WHATWG HTML, same section).
    let mut start = if event.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    while start < event.len() {
        let rest = &event[start..];
        let line = &rest[..memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())];
        let end = start + line.len();
        start = end + 1;
        let Some(value) = line.strip_prefix(b"data:") else { continue };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &mut data {
            None => data = Some(EventData { bytes: Cow::Borrowed(value), at: Some(end - value.len()) }),
            Some(lines) => {
                lines.at = None;
                let joined = lines.bytes.to_mut();
                joined.push(b'\n');
                joined.extend_from_slice(value);
            }
        }
    }
    data
}

/// Returns whether an event consists of comments and empty lines alone.
pub fn is_comment(event: &[u8]) -> bool {
    event.split(|byte| matches!(byte, b'\n' | b'\r')).all(|line| line.is_empty() || line.starts_with(b":"))
}

/// Returns the event with other data, in one line at the position of its first data line; its
/// other lines stay as they are.
pub fn with_data(event: &[u8], data: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(event.len() + data.len());
    let mut is_written = false;
    let mut rest = event;
    while !rest.is_empty() {
        let line = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let end = line + if rest.get(line..).is_some_and(|end| end.starts_with(b"\r\n")) { 2 } else { 1 };
        let (whole, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        rest = after;
        if !whole.starts_with(b"data:") {
            written.extend_from_slice(whole);
        } else if !is_written {
            is_written = true;
            written.extend_from_slice(b"data: ");
            written.extend(data.iter().filter(|byte| !matches!(byte, b'\n' | b'\r')));
            written.extend_from_slice(whole.get(line..).unwrap_or_default());
        }
    }
    written
}

/// Bytes of a chunk that are forwarded, copied only if something between them is not.
#[derive(Debug)]
pub struct RelayedChunk<'a> {
    chunk: &'a Bytes,
    range: Range<usize>,
    copy: Vec<u8>,
}

impl<'a> RelayedChunk<'a> {
    /// Returns the bytes that are forwarded for a chunk of which nothing has been read.
    pub const fn new(chunk: &'a Bytes) -> Self {
        Self { chunk, range: 0..0, copy: Vec::new() }
    }

    /// Appends a range of the chunk, behind those before.
    pub fn push_range(&mut self, range: Range<usize>) {
        if !self.copy.is_empty() {
            self.copy.extend_from_slice(&self.chunk[range]);
        } else if self.range.is_empty() {
            self.range = range;
        } else if self.range.end == range.start {
            self.range.end = range.end;
        } else {
            self.push_bytes(&self.chunk[range]);
        }
    }

    /// Appends bytes that do not follow the forwarded ones in the chunk.
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        self.copy.extend_from_slice(&self.chunk[std::mem::take(&mut self.range)]);
        self.copy.extend_from_slice(bytes);
    }

    /// Appends bytes that were held back from earlier chunks, which come before all bytes of this
    /// one.
    pub fn push_held(&mut self, bytes: &[u8]) {
        self.copy.extend_from_slice(bytes);
    }

    /// Returns the bytes in one piece; `None` if there are none.
    pub fn finish(self) -> Option<Bytes> {
        if !self.copy.is_empty() {
            return Some(self.copy.into());
        }
        (!self.range.is_empty()).then(|| self.chunk.slice(self.range))
    }
}

#[cfg(test)]
mod tests;
