//! Content of a request for policies, decoded on first use.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use pointsman_domain::model::Modalities;
use pointsman_domain::prompt::{ContentPart, ContentSize, Prompt};

use crate::body::Body;
use crate::json::{Span, unescape};

mod size;

/// Positions of the content of a request.
#[derive(Debug, Default)]
pub(in crate::openai) struct ContentIndex {
    /// Messages in the order of the conversation.
    pub messages: Vec<MessageSpans>,
    /// Texts of all messages, in order.
    pub texts: Vec<CompactSpan>,
    /// Parts of all messages, in order.
    pub parts: Vec<PartSpans>,
    /// Names of the tools.
    pub tool_names: Vec<Span>,
    indexes: size::Indexes,
}

/// Span in half the memory: a body of nothing but small parts must not take many times its size.
/// The scan rejects bodies in which it would not fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::openai) struct CompactSpan {
    start: u32,
    end: u32,
}

/// Positions of one message.
#[derive(Debug)]
pub(in crate::openai) struct MessageSpans {
    pub role: CompactSpan,
    /// Span of the object.
    pub whole: CompactSpan,
    /// Span of the value of `content`; empty if there is none.
    pub content: CompactSpan,
    /// End of its texts in [`ContentIndex::texts`].
    pub texts_end: u32,
    /// End of its parts in [`ContentIndex::parts`].
    pub parts_end: u32,
    /// True if it calls tools, so that later messages may refer to it.
    pub calls_tools: bool,
}

/// Positions of one part of a message.
#[derive(Debug)]
pub(in crate::openai) struct PartSpans {
    /// Span of the JSON value: an object, or the text if the content is one.
    pub whole: CompactSpan,
    /// Span of a text without its quotes.
    pub text: CompactSpan,
    /// As [`ContentPart::bytes`].
    pub bytes: u32,
    /// Estimated tokens of media.
    pub media_tokens: u32,
    /// As [`ContentPart::kind`].
    pub kind: Modalities,
}

/// Content of a request for policies. It shares the request's bytes; a text is decoded on first
/// use, media never.
#[derive(Clone, Debug)]
pub struct ChatPrompt {
    body: Arc<Body>,
    index: Arc<ContentIndex>,
    messages: OnceLock<Box<[DecodedMessage]>>,
    tool_names: OnceLock<Vec<String>>,
    parts: OnceLock<Box<[ContentPart]>>,
    part_texts: OnceLock<Box<[OnceLock<String>]>>,
}

#[derive(Clone, Debug, Default)]
struct DecodedMessage {
    role: OnceLock<String>,
    text: OnceLock<String>,
}

impl CompactSpan {
    pub fn span(self) -> Span {
        self.start as usize..self.end as usize
    }

    pub fn len(self) -> usize {
        self.span().len()
    }
}

impl From<Span> for CompactSpan {
    fn from(span: Span) -> Self {
        Self { start: saturated(span.start), end: saturated(span.end) }
    }
}

/// Converts a position or a length in a body that the scan accepted.
pub(super) fn saturated(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl ContentIndex {
    /// Returns the range of a message's parts; empty past the end.
    pub fn parts_of(&self, message: usize) -> Range<usize> {
        self.range(message, |spans| spans.parts_end)
    }

    /// Returns a part by its message and its index there.
    pub fn part(&self, message: usize, part: usize) -> Option<&PartSpans> {
        self.parts.get(self.part_index(message, part)?)
    }

    /// Returns the index of a part among the parts of all messages.
    pub fn part_index(&self, message: usize, part: usize) -> Option<usize> {
        let parts = self.parts_of(message);
        let index = parts.start.checked_add(part)?;
        parts.contains(&index).then_some(index)
    }

    fn texts_of(&self, message: usize) -> &[CompactSpan] {
        self.texts.get(self.range(message, |spans| spans.texts_end)).unwrap_or_default()
    }

    fn range(&self, message: usize, end: impl Fn(&MessageSpans) -> u32) -> Range<usize> {
        let Some(spans) = self.messages.get(message) else { return 0..0 };
        let before = message.checked_sub(1).and_then(|before| self.messages.get(before));
        before.map_or(0, &end) as usize..end(spans) as usize
    }
}

impl ChatPrompt {
    pub(super) fn new(body: Arc<Body>, index: Arc<ContentIndex>) -> Self {
        Self {
            body,
            index,
            messages: OnceLock::new(),
            tool_names: OnceLock::new(),
            parts: OnceLock::new(),
            part_texts: OnceLock::new(),
        }
    }

    /// Returns the bytes of the request.
    pub fn body_len(&self) -> usize {
        self.body.len()
    }

    fn message(&self, message: usize) -> Option<(&DecodedMessage, &MessageSpans)> {
        let spans = self.index.messages.get(message)?;
        let decoded =
            self.messages.get_or_init(|| vec![DecodedMessage::default(); self.message_count()].into());
        Some((decoded.get(message)?, spans))
    }

    fn decode(&self, span: Span) -> String {
        unescape(&self.body.bytes(span))
    }
}

impl Prompt for ChatPrompt {
    fn message_count(&self) -> usize {
        self.index.messages.len()
    }

    fn role(&self, message: usize) -> Option<&str> {
        let (decoded, spans) = self.message(message)?;
        Some(decoded.role.get_or_init(|| self.decode(spans.role.span())))
    }

    fn text(&self, message: usize) -> Option<&str> {
        let (decoded, _) = self.message(message)?;
        Some(decoded.text.get_or_init(|| {
            let texts = self.index.texts_of(message);
            texts.iter().map(|text| self.decode(text.span())).collect::<Vec<_>>().join("\n")
        }))
    }

    fn tool_names(&self) -> &[String] {
        self.tool_names
            .get_or_init(|| self.index.tool_names.iter().map(|span| self.decode(span.clone())).collect())
    }

    fn parts(&self) -> &[ContentPart] {
        self.parts.get_or_init(|| {
            let places = (0..self.message_count())
                .flat_map(|message| (0..self.index.parts_of(message).len()).map(move |part| (message, part)));
            let part = |((message, part), spans): (_, &PartSpans)| ContentPart {
                message,
                part,
                kind: spans.kind,
                bytes: spans.bytes as usize,
            };
            places.zip(&self.index.parts).map(part).collect()
        })
    }

    fn part_text(&self, message: usize, part: usize) -> Option<&str> {
        let index = self.index.part_index(message, part)?;
        let spans = self.index.parts.get(index).filter(|spans| spans.kind == Modalities::TEXT)?;
        let texts = self.part_texts.get_or_init(|| vec![OnceLock::new(); self.index.parts.len()].into());
        Some(texts.get(index)?.get_or_init(|| self.decode(spans.text.span())))
    }

    fn conversation_size(&self, kinds: Modalities) -> ContentSize {
        self.index.conversation_size(kinds)
    }

    fn part_size(&self, message: usize, part: usize, excerpt: Option<(usize, usize)>) -> Option<ContentSize> {
        match excerpt {
            Some(range) => self.index.excerpt(&self.body, (message, part), range).map(|(_, size)| size),
            None => self.index.part(message, part).map(PartSpans::size),
        }
    }
}

#[cfg(test)]
mod tests;
