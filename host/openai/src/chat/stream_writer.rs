//! Rendering of streamed answers.

use pointsman_domain::serving_error::ServingError;
use pointsman_domain::usage::Usage;
use pointsman_wire::openai::client::{DONE_EVENT, ErrorBody};
use serde::Serialize;

use super::annotations::Annotation;
use super::completion::{ImageBody, character_end, completion_id};
use super::finish_reason::finish_reason;
use super::reasoning_details::{ExtraContent, ReasoningDetail};
use super::usage::UsageBody;
use crate::form::{
    AnswerEvent, AnswerIdentity, PartDelta, PartStart, RawJson, Signature, StopReason, StreamWriter,
};

/// Renders a streamed answer for clients of chat completions.
#[derive(Debug)]
pub struct ChatStreamWriter {
    id: String,
    created: u64,
    model: String,
    wants_usage: bool,
    part: OpenPart,
    /// Characters of text so far.
    characters: u32,
    reasoning_count: u32,
    call_count: u32,
    has_refusal: bool,
}

/// Part that is being written.
#[derive(Debug, Default)]
enum OpenPart {
    #[default]
    None,
    Text {
        /// Characters of the answer before it.
        start: u32,
    },
    Refusal,
    Reasoning {
        is_summary: bool,
        /// True before its first text, if it follows another one.
        needs_break: bool,
    },
    Call {
        index: u32,
        takes_text: bool,
        has_input: bool,
    },
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<UsageBody>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    delta: Delta<'a>,
    finish_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasoning_details: Vec<ReasoningDetail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[CallDelta<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<[RawJson; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    images: Option<[ImageBody; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_content: Option<ExtraContent>,
}

#[derive(Default, Serialize)]
struct CallDelta<'a> {
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<FunctionDelta<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom: Option<CustomDelta<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_content: Option<ExtraContent>,
}

#[derive(Serialize)]
struct FunctionDelta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

#[derive(Serialize)]
struct CustomDelta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    input: &'a str,
}

impl<'a> CallDelta<'a> {
    /// Returns a delta with the next input, and the name in the first one.
    fn of(index: u32, takes_text: bool, name: Option<&'a str>, input: &'a str) -> Self {
        let own = Self { index, ..Self::default() };
        if takes_text {
            Self { custom: Some(CustomDelta { name, input }), ..own }
        } else {
            Self { function: Some(FunctionDelta { name, arguments: input }), ..own }
        }
    }
}

impl ChatStreamWriter {
    /// Returns the writer of an answer. `wants_usage` if the client requested the usage at the end.
    pub fn new(identity: AnswerIdentity, wants_usage: bool) -> Self {
        Self {
            id: completion_id(&identity),
            created: identity.created,
            model: identity.model,
            wants_usage,
            part: OpenPart::None,
            characters: 0,
            reasoning_count: 0,
            call_count: 0,
            has_refusal: false,
        }
    }

    fn begin(&mut self, start: &PartStart, out: &mut Vec<u8>) {
        self.part = match start {
            PartStart::Text => OpenPart::Text { start: self.characters },
            PartStart::Refusal => {
                self.has_refusal = true;
                OpenPart::Refusal
            }
            PartStart::Reasoning { is_summary } => {
                let needs_break = self.reasoning_count > 0;
                OpenPart::Reasoning { is_summary: *is_summary, needs_break }
            }
            PartStart::Media(content) => {
                let images = ImageBody::of(content).map(|image| [image]);
                if images.is_some() {
                    self.delta(Delta { images, ..Delta::default() }, out);
                }
                OpenPart::None
            }
            PartStart::ToolCall { id, name, takes_text } => {
                let index = self.call_count;
                self.call_count += 1;
                let kind = if *takes_text { "custom" } else { "function" };
                let call = CallDelta::of(index, *takes_text, Some(name), "");
                self.call(CallDelta { id: Some(id), kind: Some(kind), ..call }, out);
                OpenPart::Call { index, takes_text: *takes_text, has_input: false }
            }
            PartStart::Provider(_) => OpenPart::None,
        };
    }

    fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        let delta = match &mut self.part {
            OpenPart::Text { .. } => {
                self.characters = character_end(self.characters, text);
                Delta { content: Some(text), ..Delta::default() }
            }
            OpenPart::Refusal => Delta { refusal: Some(text), ..Delta::default() },
            OpenPart::Reasoning { is_summary, needs_break } => {
                let line_break = if std::mem::take(needs_break) { "\n\n" } else { "" };
                let detail = ReasoningDetail::of_text(text, *is_summary, self.reasoning_count);
                Delta {
                    reasoning_content: Some(format!("{line_break}{text}")),
                    reasoning_details: vec![detail],
                    ..Delta::default()
                }
            }
            OpenPart::None | OpenPart::Call { .. } => return,
        };
        self.delta(delta, out);
    }

    fn input(&mut self, input: &str, out: &mut Vec<u8>) {
        let OpenPart::Call { index, takes_text, has_input } = &mut self.part else { return };
        if input.is_empty() {
            return;
        }
        *has_input = true;
        let call = CallDelta::of(*index, *takes_text, None, input);
        self.call(call, out);
    }

    fn citation(&mut self, citation: &crate::form::Citation, out: &mut Vec<u8>) {
        let OpenPart::Text { start } = self.part else { return };
        if let Some(annotation) = Annotation::of(citation, (start, self.characters)) {
            self.delta(Delta { annotations: Some([annotation]), ..Delta::default() }, out);
        }
    }

    fn signature(&mut self, signature: &Signature, out: &mut Vec<u8>) {
        let extra_content = ExtraContent::of(signature);
        match &mut self.part {
            OpenPart::Reasoning { is_summary, .. } => {
                let detail = ReasoningDetail::of_signature(signature, *is_summary, self.reasoning_count);
                self.delta(Delta { reasoning_details: vec![detail], ..Delta::default() }, out);
            }
            OpenPart::Call { index, takes_text, .. } if extra_content.is_some() => {
                // Libraries read the function of every delta of a call.
                let call = CallDelta::of(*index, *takes_text, None, "");
                self.call(CallDelta { extra_content, ..call }, out);
            }
            OpenPart::Text { .. } if extra_content.is_some() => {
                self.delta(Delta { extra_content, ..Delta::default() }, out);
            }
            _ => {}
        }
    }

    /// Ends the part. A call without arguments gets an empty object.
    fn end_part(&mut self, out: &mut Vec<u8>) {
        match std::mem::take(&mut self.part) {
            OpenPart::Reasoning { .. } => self.reasoning_count += 1,
            OpenPart::Call { index, takes_text: false, has_input: false } => {
                self.call(CallDelta::of(index, false, None, "{}"), out);
            }
            OpenPart::None | OpenPart::Text { .. } | OpenPart::Refusal | OpenPart::Call { .. } => {}
        }
    }

    fn call(&self, call: CallDelta<'_>, out: &mut Vec<u8>) {
        self.delta(Delta { tool_calls: Some([call]), ..Delta::default() }, out);
    }

    fn delta(&self, delta: Delta<'_>, out: &mut Vec<u8>) {
        self.chunk(&[Choice { index: 0, delta, finish_reason: None }], None, out);
    }

    fn chunk(&self, choices: &[Choice<'_>], usage: Option<UsageBody>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"data: ");
        let chunk = Chunk {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.created,
            model: &self.model,
            choices,
            usage,
        };
        // Strings, numbers and raw JSON into a vector: this cannot fail.
        let _ = serde_json::to_writer(&mut *out, &chunk);
        out.extend_from_slice(b"\n\n");
    }
}

impl StreamWriter for ChatStreamWriter {
    fn write(&mut self, event: &AnswerEvent, out: &mut Vec<u8>) {
        match event {
            AnswerEvent::Start(start) => {
                self.created = start.created.unwrap_or(self.created);
                if !start.model.is_empty() {
                    self.model.clone_from(&start.model);
                }
                self.delta(Delta { role: Some("assistant"), content: Some(""), ..Delta::default() }, out);
            }
            AnswerEvent::PartStart(start) => self.begin(start, out),
            AnswerEvent::Delta(PartDelta::Text(text)) => self.text(text, out),
            AnswerEvent::Delta(PartDelta::ToolInput(input)) => self.input(input, out),
            AnswerEvent::Delta(PartDelta::Citation(citation)) => self.citation(citation, out),
            AnswerEvent::Delta(PartDelta::Signature(signature)) => self.signature(signature, out),
            AnswerEvent::Delta(PartDelta::Encrypted(encrypted)) => {
                let detail = ReasoningDetail::of_encrypted(encrypted, self.reasoning_count);
                self.delta(Delta { reasoning_details: vec![detail], ..Delta::default() }, out);
            }
            AnswerEvent::PartEnd => self.end_part(out),
            AnswerEvent::Stop(_) | AnswerEvent::Usage(_) | AnswerEvent::Error(_) | AnswerEvent::Done => {}
        }
    }

    fn end(&mut self, stop: &StopReason, usage: Usage, out: &mut Vec<u8>) {
        let finish_reason = Some(finish_reason(stop, self.has_refusal));
        self.chunk(&[Choice { index: 0, delta: Delta::default(), finish_reason }], None, out);
        if self.wants_usage {
            self.chunk(&[], Some(usage.into()), out);
        }
        out.extend_from_slice(&DONE_EVENT);
    }

    fn error(&mut self, error: &ServingError, out: &mut Vec<u8>) {
        out.extend_from_slice(&ErrorBody::from(error).to_event());
    }
}

#[cfg(test)]
mod tests;
