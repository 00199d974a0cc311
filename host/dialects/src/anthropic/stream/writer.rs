//! Writing of streams.

use pointsman_domain::serving_error::ServingError;
use pointsman_domain::usage::Usage;
use serde::Serialize;

use crate::anthropic::answer::{ID_PREFIX, MessageBody, detached_signature};
use crate::anthropic::blocks::render::{Block, InputObject};
use crate::anthropic::error::ErrorBody;
use crate::anthropic::stop::DecisiveContent;
use crate::anthropic::usage::UsageBody;
use crate::anthropic::{citations, signatures, stop};
use crate::form::{
    AnswerEvent, AnswerIdentity, AnswerStart, PartDelta, PartStart, RawJson, Signature, SignatureOrigin,
    StopReason, StreamWriter,
};

/// Renders a streamed answer with the named events of this API.
#[derive(Debug)]
pub struct MessagesStreamWriter {
    identity: AnswerIdentity,
    /// Tokens that the beginning of the stream states; its end states the true ones.
    input_tokens: u32,
    has_started: bool,
    content: DecisiveContent,
    part: OpenPart,
    /// Index of the next block.
    index: usize,
    /// Signature that follows the open block in a block of its own.
    detached: Option<Signature>,
    /// Encrypted reasoning of the open part: the signature of its text, or in place of one.
    encrypted: Option<Signature>,
}

/// State of the part that is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OpenPart {
    /// No part, or one that this API has no place for.
    None,
    /// Reasoning whose first content determines the kind of its block.
    EmptyReasoning,
    /// Open block of text.
    Text,
    /// Open block of reasoning.
    Thinking,
    /// Open call of a tool.
    ToolCall,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event<'a> {
    MessageStart { message: MessageBody<'a> },
    ContentBlockStart { index: usize, content_block: Block<'a> },
    ContentBlockDelta { index: usize, delta: Delta<'a> },
    ContentBlockStop { index: usize },
    MessageDelta { delta: Stop<'a>, usage: UsageBody },
    MessageStop,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Delta<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: &'a str },
    #[serde(rename = "citations_delta")]
    Citations { citation: RawJson },
}

#[derive(Serialize)]
struct Stop<'a> {
    stop_reason: &'static str,
    stop_sequence: Option<&'a str>,
}

impl Event<'_> {
    const fn name(&self) -> &'static str {
        match self {
            Self::MessageStart { .. } => "message_start",
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::ContentBlockDelta { .. } => "content_block_delta",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop => "message_stop",
        }
    }
}

impl MessagesStreamWriter {
    /// Returns a writer for an answer to a request of about `input_tokens`: the API states them at
    /// the beginning of a stream, when the provider has not counted them yet.
    pub const fn new(identity: AnswerIdentity, input_tokens: u32) -> Self {
        Self {
            identity,
            input_tokens,
            has_started: false,
            content: DecisiveContent::None,
            part: OpenPart::None,
            index: 0,
            detached: None,
            encrypted: None,
        }
    }

    fn start(&mut self, start: &AnswerStart, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.has_started, true) {
            return;
        }
        let model = if start.model.is_empty() { &self.identity.model } else { &start.model };
        let message = MessageBody {
            id: format!("{ID_PREFIX}{}", self.identity.id),
            role: "assistant",
            model,
            content: Vec::new(),
            stop_reason: None,
            stop_sequence: None,
            usage: Usage::counted(self.input_tokens.into(), 0).into(),
        };
        push(&Event::MessageStart { message }, out);
    }

    fn start_part(&mut self, start: &PartStart, out: &mut Vec<u8>) {
        self.end_part(out);
        self.start(&AnswerStart::default(), out);
        match start {
            PartStart::Text => self.open(OpenPart::Text, Block::text(""), out),
            PartStart::Refusal => {
                if self.content == DecisiveContent::None {
                    self.content = DecisiveContent::Refusal;
                }
                self.open(OpenPart::Text, Block::text(""), out);
            }
            PartStart::Reasoning { .. } => self.part = OpenPart::EmptyReasoning,
            PartStart::ToolCall { id, name, takes_text: _ } => {
                self.content = DecisiveContent::ToolCall;
                let input = InputObject::Empty {};
                let block = Block::ToolUse { id: id.into(), name, input, cache_control: None };
                self.open(OpenPart::ToolCall, block, out);
            }
            PartStart::Provider(part) if part.origin == SignatureOrigin::Anthropic => {
                self.write_block(Block::Original(&part.value), out);
            }
            // This API has no place for them.
            PartStart::Provider(_) | PartStart::Media(_) => {}
        }
    }

    fn open(&mut self, part: OpenPart, content_block: Block<'_>, out: &mut Vec<u8>) {
        self.part = part;
        push(&Event::ContentBlockStart { index: self.index, content_block }, out);
    }

    /// Writes a block that is complete at its beginning.
    fn write_block(&mut self, content_block: Block<'_>, out: &mut Vec<u8>) {
        push(&Event::ContentBlockStart { index: self.index, content_block }, out);
        push(&Event::ContentBlockStop { index: self.index }, out);
        self.index += 1;
    }

    fn end_part(&mut self, out: &mut Vec<u8>) {
        let encrypted = self.encrypted.take();
        let encrypted = encrypted.as_ref().map(|encrypted| signatures::encode(encrypted, None));
        match (std::mem::replace(&mut self.part, OpenPart::None), encrypted) {
            (OpenPart::None, _) | (OpenPart::EmptyReasoning, None) => {}
            (OpenPart::EmptyReasoning, Some(data)) => self.write_block(Block::RedactedThinking { data }, out),
            (part, encrypted) => {
                if let Some(signature) = encrypted.filter(|_| part == OpenPart::Thinking) {
                    self.push_delta(Delta::Signature { signature: &signature }, out);
                }
                push(&Event::ContentBlockStop { index: self.index }, out);
                self.index += 1;
            }
        }
        if let Some(signature) = self.detached.take() {
            self.write_block(detached_signature(&signature), out);
        }
    }

    fn open_thinking(&mut self, out: &mut Vec<u8>) {
        if self.part == OpenPart::EmptyReasoning {
            self.open(OpenPart::Thinking, Block::Thinking { thinking: "", signature: "".into() }, out);
        }
    }

    fn delta(&mut self, delta: &PartDelta, out: &mut Vec<u8>) {
        match delta {
            PartDelta::Text(text) => {
                self.open_thinking(out);
                match self.part {
                    OpenPart::Text => self.push_delta(Delta::Text { text }, out),
                    OpenPart::Thinking => self.push_delta(Delta::Thinking { thinking: text }, out),
                    OpenPart::None | OpenPart::EmptyReasoning | OpenPart::ToolCall => {}
                }
            }
            PartDelta::ToolInput(partial_json) if self.part == OpenPart::ToolCall => {
                self.push_delta(Delta::InputJson { partial_json }, out);
            }
            PartDelta::Citation(citation) if self.part == OpenPart::Text => {
                if let Some(citation) = citations::for_client(citation) {
                    self.push_delta(Delta::Citations { citation }, out);
                }
            }
            PartDelta::Signature(signature) => self.signature(signature, out),
            // A text may follow.
            PartDelta::Encrypted(encrypted) => self.encrypted = Some(encrypted.clone()),
            PartDelta::ToolInput(_) | PartDelta::Citation(_) => {}
        }
    }

    fn signature(&mut self, signature: &Signature, out: &mut Vec<u8>) {
        self.open_thinking(out);
        match self.part {
            OpenPart::Thinking => {
                let signature = signatures::encode(signature, None);
                self.push_delta(Delta::Signature { signature: &signature }, out);
            }
            OpenPart::Text | OpenPart::ToolCall if signature.origin != SignatureOrigin::Anthropic => {
                self.detached = Some(signature.clone());
            }
            OpenPart::None | OpenPart::EmptyReasoning | OpenPart::Text | OpenPart::ToolCall => {}
        }
    }

    fn push_delta(&self, delta: Delta<'_>, out: &mut Vec<u8>) {
        push(&Event::ContentBlockDelta { index: self.index, delta }, out);
    }
}

impl StreamWriter for MessagesStreamWriter {
    fn write(&mut self, event: &AnswerEvent, out: &mut Vec<u8>) {
        match event {
            AnswerEvent::Start(start) => self.start(start, out),
            AnswerEvent::PartStart(start) => self.start_part(start, out),
            AnswerEvent::Delta(delta) => self.delta(delta, out),
            AnswerEvent::PartEnd => self.end_part(out),
            AnswerEvent::Stop(_) | AnswerEvent::Usage(_) | AnswerEvent::Error(_) | AnswerEvent::Done => {}
        }
    }

    fn end(&mut self, stop: &StopReason, usage: Usage, out: &mut Vec<u8>) {
        self.start(&AnswerStart::default(), out);
        self.end_part(out);
        let stop_reason = stop::name(stop, self.content);
        let delta = Stop { stop_reason, stop_sequence: stop::sequence(stop) };
        push(&Event::MessageDelta { delta, usage: usage.into() }, out);
        push(&Event::MessageStop, out);
    }

    fn error(&mut self, error: &ServingError, out: &mut Vec<u8>) {
        push_event("error", &ErrorBody::of(error).1, out);
    }
}

fn push(event: &Event<'_>, out: &mut Vec<u8>) {
    push_event(event.name(), event, out);
}

fn push_event(name: &str, data: &impl Serialize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    // Strings, numbers and JSON into a vector: this cannot fail.
    let _ = serde_json::to_writer(&mut *out, data);
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests;
