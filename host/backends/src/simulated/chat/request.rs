//! Chat requests, parsed from their bodies as a real server does.

use std::hash::{Hash, Hasher};

use bytes::Bytes;
use pointsman_domain::model::Modalities;
use serde::Deserialize;
use serde_json::Value;

use super::super::invalid_request::{Count, InvalidRequest, parse};
use super::super::tokens::tokens;
use super::tools::{FunctionMember, ToolMember, ToolMembers, Tools};

/// Beginning of the last line of an answer, which states the confidence in percent. A system
/// message that contains it requests that line.
pub(super) const CONFIDENCE: &str = "CONFIDENCE: ";
/// Tokens for the framing of a message.
const TOKENS_PER_MESSAGE: u64 = 4;
/// Tokens of an image.
const TOKENS_PER_IMAGE: u64 = 256;
/// Bytes of encoded audio for each token.
pub(in super::super) const AUDIO_BYTES_PER_TOKEN: usize = 1024;

/// Bytes of a schema or of the description of a tool for each token.
pub(super) const SCHEMA_BYTES_PER_TOKEN: usize = 8;
/// Most choices of an answer.
const MAX_CHOICES: u32 = 128;
/// Most sequences that end an answer.
const MAX_STOP: usize = 4;
/// Most alternatives of each token whose log probabilities are stated.
const MAX_ALTERNATIVES: usize = 20;

#[derive(Debug)]
pub(in super::super) struct ChatRequest {
    pub(in super::super) model: String,
    /// Text of the last user message.
    pub(super) text: String,
    /// Images and audio of that message.
    pub(super) media: Vec<Media>,
    /// Results of tools after that message.
    pub(super) tool_results: Vec<String>,
    /// True if a system message requests a last line with the confidence.
    pub(super) wants_confidence: bool,
    pub(in super::super) stream: bool,
    pub(super) wants_usage: bool,
    pub(super) max_tokens: Option<u32>,
    /// Number of choices.
    pub(super) choices: u32,
    pub(super) stop: Vec<String>,
    pub(super) tools: Tools,
    pub(super) shape: AnswerShape,
    pub(super) effort: Effort,
    /// Number of alternatives for each token, if log probabilities are requested.
    pub(super) alternatives: Option<usize>,
    pub(in super::super) input_tokens: u64,
}

/// Shape of the text of an answer.
#[derive(Debug, Default)]
pub(super) enum AnswerShape {
    #[default]
    Text,
    /// Any object in JSON.
    Object,
    /// JSON that fits a schema.
    Schema(Value),
}

/// Requested amount of reasoning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Effort {
    #[default]
    None,
    Low,
    Medium,
    High,
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
#[serde(expecting = "an object")]
struct Body {
    model: String,
    messages: Vec<Message>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<Count<u32>>,
    max_completion_tokens: Option<Count<u32>>,
    n: Option<Count<u32>>,
    stop: Option<OneOrMany>,
    response_format: Option<ResponseFormat>,
    reasoning_effort: Option<String>,
    logprobs: Option<bool>,
    top_logprobs: Option<Count<usize>>,
    tools: Option<Vec<ToolMember>>,
    functions: Option<Vec<FunctionMember>>,
    tool_choice: Option<Value>,
    function_call: Option<Value>,
    parallel_tool_calls: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of texts")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct ResponseFormat {
    r#type: String,
    json_schema: Option<JsonSchema>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct JsonSchema {
    schema: Option<Value>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Message {
    role: String,
    content: Option<Content>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of parts")]
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
#[serde(expecting = "an object")]
struct ImageUrl {
    url: String,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct InputAudio {
    data: String,
    format: String,
}

impl ChatRequest {
    /// Parses a body.
    ///
    /// # Errors
    /// Returns the reason why a server would reject it.
    pub(in super::super) fn read(pieces: &[Bytes]) -> Result<Self, InvalidRequest> {
        let body: Body = parse(pieces)?;
        let choices = body.n.map_or(1, |Count(n)| n);
        if !(1..=MAX_CHOICES).contains(&choices) {
            let message = format!("n is {choices}; a number from 1 to {MAX_CHOICES} is expected");
            return Err(InvalidRequest::value("n", message));
        }
        let stop = match body.stop {
            None => Vec::new(),
            Some(OneOrMany::One(sequence)) => vec![sequence],
            Some(OneOrMany::Many(sequences)) => sequences,
        };
        if stop.len() > MAX_STOP {
            let message = format!("stop has {} sequences; at most {MAX_STOP} are expected", stop.len());
            return Err(InvalidRequest::value("stop", message));
        }
        let tools = ToolMembers {
            tools: body.tools.unwrap_or_default(),
            functions: body.functions.unwrap_or_default(),
            choice: body.tool_choice.or(body.function_call),
            is_parallel: body.parallel_tool_calls,
        };
        let mut request = Self {
            model: body.model,
            text: String::new(),
            media: Vec::new(),
            tool_results: Vec::new(),
            wants_confidence: false,
            stream: body.stream.unwrap_or(false),
            wants_usage: body.stream_options.is_some_and(|options| options.include_usage),
            max_tokens: body.max_completion_tokens.or(body.max_tokens).map(|Count(limit)| limit),
            choices,
            stop,
            alternatives: alternatives(body.logprobs.unwrap_or(false), body.top_logprobs)?,
            shape: body.response_format.map(AnswerShape::of).transpose()?.unwrap_or_default(),
            effort: body.reasoning_effort.as_deref().map(Effort::of).transpose()?.unwrap_or_default(),
            input_tokens: tools.tokens(),
            tools: Tools::read(tools)?,
        };
        for message in body.messages {
            request.add(message);
        }
        Ok(request)
    }

    fn add(&mut self, message: Message) {
        let (text, media) = message.content.map(Content::split).unwrap_or_default();
        self.input_tokens += TOKENS_PER_MESSAGE + tokens(&text).count() as u64;
        self.input_tokens += media.iter().map(Media::tokens).sum::<u64>();
        match message.role.as_str() {
            "user" => {
                (self.text, self.media) = (text, media);
                self.tool_results.clear();
            }
            "tool" | "function" => self.tool_results.push(text),
            "system" | "developer" => self.wants_confidence |= text.contains(CONFIDENCE),
            _ => {}
        }
    }
}

impl AnswerShape {
    fn of(format: ResponseFormat) -> Result<Self, InvalidRequest> {
        match (format.r#type.as_str(), format.json_schema.and_then(|member| member.schema)) {
            ("text", _) => Ok(Self::Text),
            ("json_object", _) => Ok(Self::Object),
            ("json_schema", Some(schema)) => Ok(Self::Schema(schema)),
            ("json_schema", None) => Err(InvalidRequest::missing("response_format.json_schema.schema")),
            (other, _) => {
                let message = format!(
                    "response_format has the type {other:?}; use \"text\", \"json_object\" or \"json_schema\""
                );
                Err(InvalidRequest::value("response_format.type", message))
            }
        }
    }
}

impl Effort {
    fn of(name: &str) -> Result<Self, InvalidRequest> {
        match name {
            "none" | "minimal" => Ok(Self::None),
            "low" => Ok(Self::Low),
            "medium" => Ok(Self::Medium),
            "high" | "xhigh" | "max" => Ok(Self::High),
            other => {
                let message =
                    format!("reasoning_effort is {other:?}; use none, minimal, low, medium or high");
                Err(InvalidRequest::value("reasoning_effort", message))
            }
        }
    }
}

fn alternatives(logprobs: bool, top: Option<Count<usize>>) -> Result<Option<usize>, InvalidRequest> {
    let top = top.map_or(0, |Count(top)| top);
    let message = if top > MAX_ALTERNATIVES {
        format!("top_logprobs is {top}; a number from 0 to {MAX_ALTERNATIVES} is expected")
    } else if top > 0 && !logprobs {
        "top_logprobs needs logprobs to be true".to_owned()
    } else {
        return Ok(logprobs.then_some(top));
    };
    Err(InvalidRequest::value("top_logprobs", message))
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
