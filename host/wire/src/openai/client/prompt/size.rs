//! Sizes of content and positions of excerpts, without copying any text.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use pointsman_domain::model::Modalities;
use pointsman_domain::prompt::ContentSize;

use super::{ContentIndex, MessageSpans, PartSpans};
use crate::body::Body;
use crate::json::{EscapeIndex, Span};

/// Indexes of the texts with escapes, by index of the part. Each is built on the first excerpt of
/// its text.
pub(super) type Indexes = Mutex<HashMap<usize, Arc<EscapeIndex>>>;

impl ContentIndex {
    /// Returns the size of a conversation with only parts of these kinds, as it is written into a
    /// task.
    pub fn conversation_size(&self, kinds: Modalities) -> ContentSize {
        let mut size =
            ContentSize { pieces: (self.messages.len() + self.parts.len()) as u64, ..ContentSize::default() };
        for (number, message) in self.messages.iter().enumerate() {
            let parts = self.parts.get(self.parts_of(number)).unwrap_or_default();
            let kept = parts.iter().filter(|part| part.is_kept(kinds)).count();
            // A comma follows.
            size.bytes += 1 + if kept == parts.len() {
                message.whole.len()
            } else if kept > 0 || message.calls_tools {
                message.whole.len() - message.content.len() + "null".len()
            } else {
                continue;
            } as u64;
            size.messages += 1;
            size.text_bytes += message.bytes_beside_content();
            for part in parts.iter().filter(|part| part.is_kept(kinds)) {
                let whole = if kept == parts.len() { 0 } else { part.whole.len() as u64 + 1 };
                size += ContentSize { pieces: 0, bytes: whole, ..part.size() };
            }
        }
        size
    }

    /// Returns the span of bytes `from..to` of a part's text as it is written, and the size of
    /// the excerpt. `None` if there is no such text or an end is inside a character.
    pub fn excerpt(
        &self,
        body: &Body,
        (message, part): (usize, usize),
        (from, to): (usize, usize),
    ) -> Option<(Span, ContentSize)> {
        let number = self.part_index(message, part)?;
        let part = self.parts.get(number).filter(|part| part.kind == Modalities::TEXT)?;
        let decoded_len = to.checked_sub(from)?;
        let span = part.text.span();
        let (start, end) = if span.len() == part.bytes as usize {
            (self.unescaped_place(body, &span, from)?, self.unescaped_place(body, &span, to)?)
        } else {
            let index = self.index(number, || EscapeIndex::of(&body.bytes(span.clone())));
            let read = |range: Span| body.copy(span.start + range.start..span.start + range.end);
            (span.start + index.written(from, read)?, span.start + index.written(to, read)?)
        };
        let size = ContentSize::text(decoded_len as u64, (end - start) as u64);
        Some((start..end, size))
    }

    /// Returns the position of an offset in a text without escapes.
    fn unescaped_place(&self, body: &Body, span: &Span, offset: usize) -> Option<usize> {
        let place = span.start.checked_add(offset).filter(|place| *place <= span.end)?;
        // What follows a text is a quote, so there always is a byte.
        let is_between = body.byte(place).is_none_or(|byte| (byte as i8) >= -0x40);
        is_between.then_some(place)
    }

    fn index(&self, number: usize, make: impl FnOnce() -> EscapeIndex) -> Arc<EscapeIndex> {
        let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(indexes.entry(number).or_insert_with(|| Arc::new(make())))
    }
}

impl PartSpans {
    /// Returns whether a filter by kinds keeps this part. A part of unknown kind is kept only
    /// with all others.
    pub fn is_kept(&self, kinds: Modalities) -> bool {
        kinds.is_all() || (!self.kind.is_empty() && kinds.contains(self.kind))
    }

    /// Returns the size of the whole part, as it is written in a message.
    pub fn size(&self) -> ContentSize {
        let is_text = self.kind == Modalities::TEXT;
        ContentSize {
            bytes: if is_text { self.text.len() } else { self.whole.len() } as u64,
            pieces: 1,
            messages: 0,
            text_bytes: if is_text { self.bytes.into() } else { 0 },
            media_tokens: self.media_tokens.into(),
        }
    }
}

impl MessageSpans {
    /// Returns the bytes of members besides the content, which count only if they are large:
    /// calls of tools.
    pub fn bytes_beside_content(&self) -> u64 {
        if self.calls_tools { (self.whole.len() - self.content.len()) as u64 } else { 0 }
    }
}
