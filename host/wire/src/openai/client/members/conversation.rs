//! Content of messages and tools: positions, kinds and estimated tokens.

use pointsman_domain::model::Modalities;
use pointsman_domain::prompt::ContentSize;

use super::place::Key;
use crate::json::{JsonText, Scalar, Span};
use crate::openai::client::prompt::{CompactSpan, ContentIndex, MessageSpans, PartSpans, saturated};
use crate::tokens;

/// Length above which an address is the content itself, as a `data:` URL.
const LONGEST_URL: usize = 4096;
/// Bytes of quotes, colon and comma around a key or value of a tool: about one token.
const PUNCTUATION: usize = 4;

/// Index of the content of messages and tools, as it is built.
#[derive(Debug, Default)]
pub(super) struct ConversationIndexer {
    pub index: ContentIndex,
    pub inputs: Modalities,
    pub turns: u32,
    /// Message that is being parsed.
    message: OpenMessage,
    /// Part that is being parsed.
    part: OpenPart,
    text_bytes: usize,
    media_tokens: u64,
}

#[derive(Debug, Default)]
struct OpenMessage {
    start: usize,
    role: Option<CompactSpan>,
    is_instruction: bool,
    content: CompactSpan,
    content_start: usize,
    parts: usize,
    calls_tools: bool,
}

#[derive(Debug, Default)]
struct OpenPart {
    start: usize,
    kind: Modalities,
    /// Span of its text without the quotes, if it has one.
    text: Option<CompactSpan>,
    /// Bytes of that text after unescaping.
    text_bytes: usize,
    /// True if it has more than one text, so that readers differ in its meaning.
    has_texts: bool,
    low_detail: bool,
    is_wav: bool,
    /// Bytes of the last address or content of a medium.
    media_bytes: usize,
    /// Bytes of base64 content in the request itself.
    inline: Option<u64>,
}

impl ConversationIndexer {
    /// Returns the number of complete messages.
    pub fn messages(&self) -> usize {
        self.index.messages.len()
    }

    /// Returns the number of complete parts of the current message.
    pub fn parts(&self) -> usize {
        self.message.parts
    }

    pub fn begin_message(&mut self, at: usize) {
        self.message.start = at;
    }

    pub fn role(&mut self, role: &JsonText<'_>) {
        self.message.is_instruction = matches!(role.raw, Some(b"system" | b"developer"));
        self.message.role = Some(role.span.clone().into());
    }

    pub fn calls_tools(&mut self) {
        self.message.calls_tools = true;
    }

    /// Records the content `null`.
    pub fn no_content(&mut self, span: Span) {
        self.message.content = span.into();
    }

    /// Records a content that is a single text.
    pub fn text_content(&mut self, text: &JsonText<'_>, span: Span) {
        self.message.content = span.clone().into();
        self.lone_text(text, span);
    }

    /// Records the start of a content that is an array of parts.
    pub fn begin_content(&mut self, at: usize) {
        self.message.content_start = at;
    }

    pub fn end_content(&mut self, at: usize) {
        self.message.content = (self.message.content_start..at).into();
    }

    pub fn begin_part(&mut self, at: usize) {
        self.part.start = at;
    }

    /// Records a part that is not an object: a text, or an unknown value.
    pub fn scalar_part(&mut self, value: &Scalar<'_>, span: Span) {
        if let Scalar::String(text) = value {
            return self.lone_text(text, span);
        }
        self.begin_part(span.start);
        self.end_part(span.end);
    }

    fn lone_text(&mut self, text: &JsonText<'_>, span: Span) {
        self.begin_part(span.start);
        self.part_text(text);
        self.end_part(span.end);
    }

    /// Records a text that a policy may read.
    pub fn part_text(&mut self, text: &JsonText<'_>) {
        self.inputs |= Modalities::TEXT;
        self.text_bytes += text.decoded_len;
        let stretch = text.span.clone().into();
        self.index.texts.push(stretch);
        self.part.has_texts |= self.part.text.is_some();
        self.part.text = Some(stretch);
        self.part.text_bytes = text.decoded_len;
    }

    /// Records a text that only counts, such as a tool's schema.
    pub fn structured(&mut self, text: &JsonText<'_>) {
        self.text_bytes += text.decoded_len + PUNCTUATION;
    }

    pub fn tool(&mut self, name: &JsonText<'_>) {
        self.index.tool_names.push(name.span.clone());
    }

    pub fn part_type(&mut self, kind: &JsonText<'_>) {
        self.part.kind |= match kind.raw {
            Some(b"image_url" | b"input_image") => Modalities::IMAGE,
            Some(b"input_audio" | b"audio_url") => Modalities::AUDIO,
            Some(b"video_url" | b"input_video") => Modalities::VIDEO,
            Some(b"file" | b"input_file") => Modalities::DOCUMENT,
            _ => Modalities::empty(),
        };
    }

    /// Records that the part has a member of this name, which is not `null`.
    pub fn media(&mut self, key: Key) {
        self.part.kind |= match key {
            Key::ImageUrl => Modalities::IMAGE,
            Key::InputAudio | Key::AudioUrl => Modalities::AUDIO,
            Key::VideoUrl | Key::InputVideo => Modalities::VIDEO,
            Key::File => Modalities::DOCUMENT,
            _ => Modalities::empty(),
        };
    }

    pub fn url(&mut self, url: &JsonText<'_>) {
        let is_data = url.raw.is_some_and(|raw| raw.starts_with(b"data:"));
        self.part.media_bytes = url.span.len();
        if is_data || url.span.len() > LONGEST_URL {
            self.inline(url);
        }
    }

    pub fn inline(&mut self, base64: &JsonText<'_>) {
        self.part.media_bytes = base64.span.len();
        self.part.inline = Some(base64.span.len() as u64);
    }

    pub fn format(&mut self, format: &JsonText<'_>) {
        self.part.is_wav = format.raw == Some(b"wav");
    }

    pub fn detail(&mut self, detail: &JsonText<'_>) {
        self.part.low_detail = detail.raw == Some(b"low");
    }

    pub fn end_part(&mut self, at: usize) {
        let part = std::mem::take(&mut self.part);
        self.message.parts += 1;
        self.inputs |= part.kind;
        let media_tokens = part.media_tokens();
        self.media_tokens += media_tokens;
        self.index.parts.push(part.spans(at, media_tokens));
    }

    /// Ends the current message, and returns whether it is complete: it must have a role.
    pub fn end_message(&mut self, at: usize) -> bool {
        let message = std::mem::take(&mut self.message);
        let Some(role) = message.role else { return false };
        self.index.messages.push(MessageSpans {
            role,
            whole: (message.start..at).into(),
            content: message.content,
            texts_end: saturated(self.index.texts.len()),
            parts_end: saturated(self.index.parts.len()),
            calls_tools: message.calls_tools,
        });
        self.turns += u32::from(!message.is_instruction);
        true
    }

    /// Returns the estimated tokens of the whole input.
    pub fn input_tokens(&self) -> u32 {
        let size = ContentSize {
            messages: self.messages() as u64,
            text_bytes: self.text_bytes as u64,
            media_tokens: self.media_tokens,
            ..ContentSize::default()
        };
        u32::try_from(size.input_tokens()).unwrap_or(u32::MAX)
    }

    /// Returns a lower bound on the tokens of the whole input for any tokenizer.
    pub fn least_input_tokens(&self) -> u32 {
        saturated(self.text_bytes / tokens::LONGEST_TOKEN_BYTES)
    }
}

impl OpenPart {
    fn media_tokens(&self) -> u64 {
        let image = if self.low_detail { tokens::IMAGE_LOW_DETAIL } else { tokens::IMAGE };
        let of = |kind: Modalities, tokens: u64| if self.kind.contains(kind) { tokens } else { 0 };
        of(Modalities::IMAGE, image)
            + of(Modalities::AUDIO, tokens::of_audio(self.inline, self.is_wav))
            + of(Modalities::VIDEO, tokens::of_video(self.inline))
            + of(Modalities::DOCUMENT, tokens::of_document(self.inline))
    }

    /// Returns the index entry of a part that ends here. A part that could be two kinds is of
    /// none: models differ in how they read it.
    fn spans(&self, at: usize, media_tokens: u64) -> PartSpans {
        let whole = self.start..at;
        let media = self.kind.bits().count_ones();
        let (kind, bytes) = match self.text {
            Some(_) if media == 0 && !self.has_texts => (Modalities::TEXT, self.text_bytes),
            None if media == 1 => (self.kind, self.media_bytes),
            _ => (Modalities::empty(), whole.len()),
        };
        PartSpans {
            whole: whole.into(),
            text: self.text.unwrap_or_default(),
            bytes: saturated(bytes),
            media_tokens: u32::try_from(media_tokens).unwrap_or(u32::MAX),
            kind,
        }
    }
}
