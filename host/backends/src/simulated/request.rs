//! Chat requests, parsed from their bodies as a real server does.

use std::hash::{Hash, Hasher};

use bytes::Bytes;
use pointsman_domain::model::Modalities;
use serde::Deserialize;

use super::tokens::tokens;

/// Beginning of the last line of an answer, which states the confidence in percent. A system
/// message that contains it requests that line.
pub(super) const CONFIDENCE: &str = "CONFIDENCE: ";
/// Tokens for the framing of a message.
const TOKENS_PER_MESSAGE: u64 = 4;
/// Tokens of an image.
const TOKENS_PER_IMAGE: u64 = 256;
/// Bytes of encoded audio for each token.
pub(super) const AUDIO_BYTES_PER_TOKEN: usize = 1024;

#[derive(Debug)]
pub(super) struct ChatRequest {
    pub(super) model: String,
    /// Text of the last user message.
    pub(super) text: String,
    /// Images and audio of that message.
    pub(super) media: Vec<Media>,
    /// True if a system message requests a last line with the confidence.
    pub(super) wants_confidence: bool,
    pub(super) stream: bool,
    pub(super) wants_usage: bool,
    pub(super) max_tokens: Option<u32>,
    pub(super) input_tokens: u64,
}

/// Image or audio.
#[derive(Debug)]
pub(super) struct Media {
    pub(super) kind: Modalities,
    /// `png`, `wav` …; empty for a link.
    pub(super) format: String,
    /// Link, or encoded content.
    pub(super) data: String,
}

#[derive(Deserialize)]
struct Body {
    model: String,
    messages: Vec<Message>,
    #[serde(default)]
    stream: bool,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: Option<Content>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part {
    Text {
        text: String,
    },
    ImageUrl {
        image_url: ImageUrl,
    },
    InputAudio {
        input_audio: InputAudio,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct ImageUrl {
    url: String,
}

#[derive(Deserialize)]
struct InputAudio {
    data: String,
    format: String,
}

impl ChatRequest {
    pub(super) fn read(pieces: &[Bytes]) -> Result<Self, serde_json::Error> {
        let body: Body = serde_json::from_slice(&pieces.concat())?;
        let mut request = Self {
            model: body.model,
            text: String::new(),
            media: Vec::new(),
            wants_confidence: false,
            stream: body.stream,
            wants_usage: body.stream_options.is_some_and(|options| options.include_usage),
            max_tokens: body.max_completion_tokens.or(body.max_tokens),
            input_tokens: 0,
        };
        for message in body.messages {
            let (text, media) = message.content.map(Content::split).unwrap_or_default();
            request.input_tokens += TOKENS_PER_MESSAGE + tokens(&text).count() as u64;
            request.input_tokens += media.iter().map(Media::tokens).sum::<u64>();
            match message.role.as_str() {
                "user" => (request.text, request.media) = (text, media),
                "system" => request.wants_confidence |= text.contains(CONFIDENCE),
                _ => {}
            }
        }
        Ok(request)
    }
}

impl Content {
    fn split(self) -> (String, Vec<Media>) {
        let parts = match self {
            Self::Text(text) => return (text, Vec::new()),
            Self::Parts(parts) => parts,
        };
        let mut texts = Vec::new();
        let mut media = Vec::new();
        for part in parts {
            match part {
                Part::Text { text } => texts.push(text),
                Part::ImageUrl { image_url } => media.push(Media::image(image_url.url)),
                Part::InputAudio { input_audio: InputAudio { data, format } } => {
                    media.push(Media { kind: Modalities::AUDIO, format, data });
                }
                Part::Other => {}
            }
        }
        (texts.join("\n"), media)
    }
}

impl Media {
    fn image(url: String) -> Self {
        let inline = url.strip_prefix("data:image/").and_then(|rest| rest.split_once(";base64,"));
        let (format, data) = inline.map_or_else(
            || (String::new(), url.clone()),
            |(format, data)| (format.to_owned(), data.to_owned()),
        );
        Self { kind: Modalities::IMAGE, format, data }
    }

    pub(super) fn name(&self) -> &'static str {
        if self.kind == Modalities::AUDIO { "audio" } else { "image" }
    }

    /// Returns format and size, such as `png, 12 KB`.
    pub(super) fn description(&self) -> String {
        if self.format.is_empty() {
            return format!("at {}", self.data);
        }
        let bytes = self.data.len() / 4 * 3;
        format!("{}, {} KB", self.format, bytes.div_ceil(1000))
    }

    fn tokens(&self) -> u64 {
        if self.kind == Modalities::AUDIO {
            self.data.len().div_ceil(AUDIO_BYTES_PER_TOKEN) as u64
        } else {
            TOKENS_PER_IMAGE
        }
    }
}

impl Hash for Media {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.data.hash(state);
    }
}
