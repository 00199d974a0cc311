use pointsman_domain::model::Modalities;

use super::place::Key;
use crate::json::{Span, Text};
use crate::openai::chat::prompt::{MessageSpans, Texts};
use crate::tokens;

/// An address longer than this is the thing itself, as a `data:` URL.
const LONGEST_URL: usize = 4096;
/// Quotes, colon and comma around a key or value of a tool: about one token.
const PUNCTUATION: usize = 4;

/// What the messages and the tools contain.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    pub texts: Texts,
    pub inputs: Modalities,
    pub turns: u32,
    /// The message under way.
    message: Message,
    /// The part under way.
    part: Part,
    text_bytes: usize,
    media_tokens: u64,
}

#[derive(Debug, Default)]
struct Message {
    role: Option<Span>,
    is_instruction: bool,
    parts: usize,
}

#[derive(Debug, Default)]
struct Part {
    kind: Modalities,
    low_detail: bool,
    is_wav: bool,
    /// Bytes of what is in the request itself, in base64.
    inline: Option<u64>,
}

impl Conversation {
    /// How many messages are complete.
    pub fn messages(&self) -> usize {
        self.texts.messages.len()
    }

    /// How many parts of the message under way are complete.
    pub fn parts(&self) -> usize {
        self.message.parts
    }

    pub fn role(&mut self, role: &Text<'_>) {
        self.message.is_instruction = matches!(role.raw, Some(b"system" | b"developer"));
        self.message.role = Some(role.span.clone());
    }

    /// Text that a policy may read.
    pub fn text(&mut self, text: &Text<'_>) {
        self.inputs |= Modalities::TEXT;
        self.text_bytes += text.decoded_len;
        self.texts.texts.push(text.span.clone());
    }

    /// Text that only counts, such as a tool's schema.
    pub fn structured(&mut self, text: &Text<'_>) {
        self.text_bytes += text.decoded_len + PUNCTUATION;
    }

    pub fn tool(&mut self, name: &Text<'_>) {
        self.texts.tool_names.push(name.span.clone());
    }

    pub fn part_type(&mut self, kind: &Text<'_>) {
        self.part.kind |= match kind.raw {
            Some(b"image_url" | b"input_image") => Modalities::IMAGE,
            Some(b"input_audio" | b"audio_url") => Modalities::AUDIO,
            Some(b"video_url" | b"input_video") => Modalities::VIDEO,
            Some(b"file" | b"input_file") => Modalities::DOCUMENT,
            _ => Modalities::empty(),
        };
    }

    /// The part has a member of this name, which is not `null`.
    pub fn media(&mut self, key: Key) {
        self.part.kind |= match key {
            Key::ImageUrl => Modalities::IMAGE,
            Key::InputAudio | Key::AudioUrl => Modalities::AUDIO,
            Key::VideoUrl | Key::InputVideo => Modalities::VIDEO,
            Key::File => Modalities::DOCUMENT,
            _ => Modalities::empty(),
        };
    }

    pub fn url(&mut self, url: &Text<'_>) {
        let is_data = url.raw.is_some_and(|raw| raw.starts_with(b"data:"));
        if is_data || url.span.len() > LONGEST_URL {
            self.inline(url);
        }
    }

    pub fn inline(&mut self, base64: &Text<'_>) {
        self.part.inline = Some(base64.span.len() as u64);
    }

    pub fn format(&mut self, format: &Text<'_>) {
        self.part.is_wav = format.raw == Some(b"wav");
    }

    pub fn detail(&mut self, detail: &Text<'_>) {
        self.part.low_detail = detail.raw == Some(b"low");
    }

    pub fn end_part(&mut self) {
        let part = std::mem::take(&mut self.part);
        self.message.parts += 1;
        self.inputs |= part.kind;
        if part.kind.contains(Modalities::IMAGE) {
            self.media_tokens += if part.low_detail { tokens::IMAGE_LOW_DETAIL } else { tokens::IMAGE };
        }
        if part.kind.contains(Modalities::AUDIO) {
            self.media_tokens += tokens::of_audio(part.inline, part.is_wav);
        }
        if part.kind.contains(Modalities::VIDEO) {
            self.media_tokens += tokens::of_video(part.inline);
        }
        if part.kind.contains(Modalities::DOCUMENT) {
            self.media_tokens += tokens::of_document(part.inline);
        }
    }

    /// Whether the message was complete: it must have a role.
    pub fn end_message(&mut self) -> bool {
        let message = std::mem::take(&mut self.message);
        let Some(role) = message.role else { return false };
        let first = self.texts.messages.last().map_or(0, |last| last.texts.end);
        self.texts.messages.push(MessageSpans { role, texts: first..self.texts.texts.len() });
        self.turns += u32::from(!message.is_instruction);
        true
    }

    /// Estimated tokens of everything.
    pub fn input_tokens(&self) -> u32 {
        let template = self.messages() as u64 * tokens::PER_MESSAGE + tokens::PER_ANSWER;
        let all = tokens::of_text(self.text_bytes as u64) + template + self.media_tokens;
        u32::try_from(all).unwrap_or(u32::MAX)
    }
}
