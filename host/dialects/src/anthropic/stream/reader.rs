//! Reading of streams.

use serde_json::value::RawValue;

use self::block::BlockStart;
use crate::anthropic::answer::refusal;
use crate::anthropic::error::parse_reported;
use crate::anthropic::usage::StatedUsage;
use crate::anthropic::{citations, stop};
use crate::form::{
    AnswerEvent, AnswerStart, PartContent, PartDelta, PartStart, RawJson, Signature, SignatureOrigin,
    StopReason, StreamReader,
};
use crate::json::{MemberPath, ObjectMembers};

mod block;

/// Limit of bytes of an input that is held back until its end. Beyond it, the rest is left out.
const MAX_INPUT: usize = 4 << 20;

/// Reads the events of a stream.
///
/// Servers that imitate this API leave out beginnings and ends of blocks, or the whole of
/// `message_start`: both follow from the events that are there.
#[derive(Debug, Default)]
pub struct MessagesStreamReader {
    has_started: bool,
    is_done: bool,
    open: Option<OpenBlock>,
    usage: StatedUsage,
    stop: Option<StopReason>,
}

/// Block that has begun.
#[derive(Debug)]
enum OpenBlock {
    Text,
    Reasoning,
    /// Call of a tool, with the input in its beginning. Deltas replace it.
    ToolCall {
        early_input: Option<String>,
    },
    /// Block of which the deltas replace the input.
    Provider {
        block: RawJson,
        input: String,
    },
}

impl MessagesStreamReader {
    /// Returns a reader for a stream that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    fn start(&mut self, start: AnswerStart, events: &mut Vec<AnswerEvent>) {
        if !std::mem::replace(&mut self.has_started, true) {
            events.push(AnswerEvent::Start(start));
        }
    }

    fn message_start(&mut self, members: &mut ObjectMembers<'_>, events: &mut Vec<AnswerEvent>) {
        let message = members.take("message");
        let Some(mut message) = message.and_then(object) else { return };
        let start = AnswerStart {
            id: message.take("id").and_then(text).unwrap_or_default(),
            created: None,
            model: message.take("model").and_then(text).unwrap_or_default(),
        };
        self.start(start, events);
        if let Some(usage) = message.take("usage") {
            self.update_usage(usage, events);
        }
    }

    fn update_usage(&mut self, usage: &RawValue, events: &mut Vec<AnswerEvent>) {
        self.usage.update(StatedUsage::parse(usage));
        events.push(AnswerEvent::Usage(self.usage.count()));
    }

    fn block_start(&mut self, members: &mut ObjectMembers<'_>, events: &mut Vec<AnswerEvent>) {
        let Some(block) = members.take("content_block") else { return };
        let Some(start) = BlockStart::parse(block) else { return };
        self.end_block(events);
        match start {
            BlockStart::Text { text } => {
                self.open(OpenBlock::Text, PartStart::Text, events);
                push_text(text, events);
            }
            BlockStart::Reasoning { text, signature } => {
                self.open(OpenBlock::Reasoning, PartStart::Reasoning { is_summary: false }, events);
                push_text(text, events);
                push_signature(signature, PartDelta::Signature, events);
            }
            BlockStart::Redacted { data } => {
                self.open(OpenBlock::Reasoning, PartStart::Reasoning { is_summary: false }, events);
                push_signature(data, PartDelta::Encrypted, events);
            }
            BlockStart::ToolCall { id, name, input } => {
                let start = PartStart::ToolCall { id, name, takes_text: false };
                self.open(OpenBlock::ToolCall { early_input: input }, start, events);
            }
            BlockStart::Provider(block) => {
                self.start(AnswerStart::default(), events);
                self.open = Some(OpenBlock::Provider { block, input: String::new() });
            }
        }
    }

    fn open(&mut self, block: OpenBlock, start: PartStart, events: &mut Vec<AnswerEvent>) {
        self.start(AnswerStart::default(), events);
        self.open = Some(block);
        events.push(AnswerEvent::PartStart(start));
    }

    fn block_delta(&mut self, members: &mut ObjectMembers<'_>, events: &mut Vec<AnswerEvent>) {
        let Some(mut delta) = members.take("delta").and_then(object) else { return };
        let kind = delta.take("type").and_then(text).unwrap_or_default();
        let mut member = |name: &str| delta.take(name);
        match &*kind {
            "text_delta" => {
                self.ensure_text(events);
                push_text(member("text").and_then(text).unwrap_or_default(), events);
            }
            "citations_delta" => {
                let parsed = member("citation")
                    .and_then(|citation| citations::parse(citation, &MemberPath::Root).ok());
                if let Some(citation) = parsed {
                    self.ensure_text(events);
                    events.push(AnswerEvent::Delta(PartDelta::Citation(Box::new(citation))));
                }
            }
            "thinking_delta" => {
                self.ensure_reasoning(events);
                push_text(member("thinking").and_then(text).unwrap_or_default(), events);
            }
            "signature_delta" => {
                self.ensure_reasoning(events);
                let signature = member("signature").and_then(text).unwrap_or_default();
                push_signature(signature, PartDelta::Signature, events);
            }
            "input_json_delta" => {
                let json = member("partial_json").and_then(text).unwrap_or_default();
                self.input_delta(json, events);
            }
            _ => {}
        }
    }

    fn ensure_text(&mut self, events: &mut Vec<AnswerEvent>) {
        if !matches!(self.open, Some(OpenBlock::Text)) {
            self.end_block(events);
            self.open(OpenBlock::Text, PartStart::Text, events);
        }
    }

    fn ensure_reasoning(&mut self, events: &mut Vec<AnswerEvent>) {
        if !matches!(self.open, Some(OpenBlock::Reasoning)) {
            self.end_block(events);
            self.open(OpenBlock::Reasoning, PartStart::Reasoning { is_summary: false }, events);
        }
    }

    fn input_delta(&mut self, json: String, events: &mut Vec<AnswerEvent>) {
        match &mut self.open {
            Some(OpenBlock::ToolCall { early_input }) if !json.is_empty() => {
                *early_input = None;
                events.push(AnswerEvent::Delta(PartDelta::ToolInput(json)));
            }
            Some(OpenBlock::Provider { input, .. }) if input.len() + json.len() <= MAX_INPUT => {
                input.push_str(&json);
            }
            // Input without a call, or with too much of it.
            _ => {}
        }
    }

    fn end_block(&mut self, events: &mut Vec<AnswerEvent>) {
        match self.open.take() {
            None => return,
            Some(OpenBlock::Text | OpenBlock::Reasoning | OpenBlock::ToolCall { early_input: None }) => {}
            Some(OpenBlock::ToolCall { early_input: Some(input) }) => {
                events.push(AnswerEvent::Delta(PartDelta::ToolInput(input)));
            }
            Some(OpenBlock::Provider { block, input }) => {
                let part = block::provider_part(&block, &input);
                events.push(AnswerEvent::PartStart(PartStart::Provider(Box::new(part))));
            }
        }
        events.push(AnswerEvent::PartEnd);
    }

    fn message_delta(&mut self, members: &mut ObjectMembers<'_>, events: &mut Vec<AnswerEvent>) {
        let usage = members.take("usage");
        if let Some(mut delta) = members.take("delta").and_then(object) {
            let sequence = delta.take("stop_sequence").and_then(text);
            if let Some(reason) = delta.take("stop_reason").and_then(text) {
                self.start(AnswerStart::default(), events);
                self.end_block(events);
                if let Some(PartContent::Refusal(explanation)) =
                    delta.take("stop_details").and_then(refusal).map(|part| part.content)
                {
                    events.push(AnswerEvent::PartStart(PartStart::Refusal));
                    push_text(explanation, events);
                    events.push(AnswerEvent::PartEnd);
                }
                let stop = stop::parse(&reason, sequence);
                self.stop = Some(stop.clone());
                events.push(AnswerEvent::Stop(stop));
            }
        }
        if let Some(usage) = usage {
            self.update_usage(usage, events);
        }
    }

    fn done(&mut self, events: &mut Vec<AnswerEvent>) {
        self.end_block(events);
        if !std::mem::replace(&mut self.is_done, true) {
            events.push(AnswerEvent::Done);
        }
    }
}

impl StreamReader for MessagesStreamReader {
    fn read(&mut self, data: &[u8], events: &mut Vec<AnswerEvent>) {
        if self.is_done {
            return;
        }
        let Some(mut members) = ObjectMembers::parse_answer(data) else { return };
        let kind = members.take("type").and_then(text).unwrap_or_default();
        match &*kind {
            "message_start" => self.message_start(&mut members, events),
            "content_block_start" => self.block_start(&mut members, events),
            "content_block_delta" => self.block_delta(&mut members, events),
            "content_block_stop" => self.end_block(events),
            "message_delta" => self.message_delta(&mut members, events),
            "message_stop" => self.done(events),
            _ => {
                if let Some(error) = parse_reported(None, data) {
                    self.is_done = true;
                    events.push(AnswerEvent::Error(error));
                }
            }
        }
    }

    fn finish(&mut self, events: &mut Vec<AnswerEvent>) {
        if self.is_done {
            return;
        }
        self.end_block(events);
        // Some servers send no `message_stop`.
        if self.stop.is_some() {
            self.done(events);
        }
    }
}

fn object(value: &RawValue) -> Option<ObjectMembers<'_>> {
    ObjectMembers::parse_answer(value.get().as_bytes())
}

fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

fn push_text(text: String, events: &mut Vec<AnswerEvent>) {
    if !text.is_empty() {
        events.push(AnswerEvent::Delta(PartDelta::Text(text)));
    }
}

fn push_signature(value: String, delta: fn(Signature) -> PartDelta, events: &mut Vec<AnswerEvent>) {
    if !value.is_empty() {
        events.push(AnswerEvent::Delta(delta(Signature { origin: SignatureOrigin::Anthropic, value })));
    }
}

#[cfg(test)]
mod tests;
