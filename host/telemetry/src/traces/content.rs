//! What was said in a request, in the form that OpenTelemetry's conventions for
//! generative AI have for it.

use serde::Serialize;

use super::span::Attributes;
use crate::content::{self, Answer, Exchange};

/// Most bytes of text that are told of the input, and of the answer.
const MOST: usize = 32 << 10;

/// What of it is told: messages, as JSON.
#[derive(Debug)]
pub(super) struct Content {
    input: String,
    output: Option<String>,
    is_cut: bool,
}

#[derive(Serialize)]
struct Message<'w> {
    role: &'w str,
    parts: Vec<Part<'w>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'w str>,
}

#[derive(Serialize)]
struct Part<'w> {
    #[serde(rename = "type")]
    kind: &'static str,
    content: &'w str,
}

impl Content {
    pub(super) fn read(exchange: &dyn Exchange) -> Self {
        let said = content::Content::of(exchange.prompt(), MOST);
        let answer = exchange.answer(MOST);
        let is_cut = said.left_out_bytes > 0 || answer.as_ref().is_some_and(|answer| answer.is_cut);
        let messages: Vec<_> =
            said.messages.iter().map(|message| Message::of(&message.role, &message.text)).collect();
        Self {
            input: json(&messages),
            output: answer.map(|answer| json(&[Message::answer(&answer)])),
            is_cut,
        }
    }

    pub(super) fn tell(&self, attributes: &mut Attributes<'_, '_>) {
        attributes.text("gen_ai.input.messages", &self.input);
        attributes.maybe("gen_ai.output.messages", self.output.as_deref());
        if self.is_cut {
            attributes.flag("pointsman.content.cut", true);
        }
    }
}

impl<'w> Message<'w> {
    fn of(role: &'w str, text: &'w str) -> Self {
        let parts = if text.is_empty() { Vec::new() } else { vec![Part { kind: "text", content: text }] };
        Self { role, parts, finish_reason: None }
    }

    fn answer(answer: &'w Answer) -> Self {
        let finish_reason = answer.finish_reason.as_deref();
        Self { finish_reason, ..Self::of("assistant", &answer.text) }
    }
}

/// Texts are all there is in it, so there is nothing that cannot be written.
fn json(messages: &[Message<'_>]) -> String {
    serde_json::to_string(messages).unwrap_or_default()
}

#[cfg(test)]
mod tests;
