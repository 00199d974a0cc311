//! Content of a request in the form of OpenTelemetry's conventions for generative AI.

use pointsman_record::ContentRecord;
use serde::Serialize;

use super::span::AttributeWriter;
use crate::content::{AnswerText, ContentSource};

/// Most bytes of text of the input, and of the answer.
const MAX_BYTES: usize = 32 << 10;

/// Messages of a request and its answer, as JSON.
#[derive(Debug)]
pub(super) struct SpanContent {
    input: String,
    output: Option<String>,
    is_cut: bool,
}

#[derive(Serialize)]
struct GenAiMessage<'w> {
    role: &'w str,
    parts: Vec<GenAiPart<'w>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'w str>,
}

#[derive(Serialize)]
struct GenAiPart<'w> {
    #[serde(rename = "type")]
    kind: &'static str,
    content: &'w str,
}

impl SpanContent {
    pub(super) fn read(source: &dyn ContentSource) -> Self {
        let request = ContentRecord::new(source.prompt(), MAX_BYTES);
        let answer = source.answer(MAX_BYTES);
        let is_cut = request.left_out_bytes > 0 || answer.as_ref().is_some_and(|answer| answer.is_cut);
        let messages: Vec<_> =
            request.messages.iter().map(|message| GenAiMessage::new(&message.role, &message.text)).collect();
        Self {
            input: json(&messages),
            output: answer.map(|answer| json(&[GenAiMessage::answer(&answer)])),
            is_cut,
        }
    }

    pub(super) fn write(&self, attributes: &mut AttributeWriter<'_, '_>) {
        attributes.text("gen_ai.input.messages", &self.input);
        attributes.optional_text("gen_ai.output.messages", self.output.as_deref());
        if self.is_cut {
            attributes.flag("pointsman.content.cut", true);
        }
    }
}

impl<'w> GenAiMessage<'w> {
    fn new(role: &'w str, text: &'w str) -> Self {
        let parts =
            if text.is_empty() { Vec::new() } else { vec![GenAiPart { kind: "text", content: text }] };
        Self { role, parts, finish_reason: None }
    }

    fn answer(answer: &'w AnswerText) -> Self {
        let finish_reason = answer.finish_reason.as_deref();
        Self { finish_reason, ..Self::new("assistant", &answer.text) }
    }
}

fn json(messages: &[GenAiMessage<'_>]) -> String {
    // Strings can always be serialised.
    serde_json::to_string(messages).unwrap_or_default()
}

#[cfg(test)]
mod tests;
