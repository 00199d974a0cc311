//! What was said in a request, for those who have asked to see it in its span.
//!
//! Histories have no content, and what was said is not kept with them: it goes to
//! the exporter beside the history, is read there, and is gone.

use std::fmt;

use serde::Serialize;

use super::span::Attributes;

/// Most bytes of text that are told of the input, and of the answer.
const MOST: usize = 32 << 10;

/// What was said in a request. It is read beside the requests, and only as far as
/// it is told.
pub trait Exchange: fmt::Debug + Send + Sync {
    /// Bytes that are kept in memory for it.
    fn bytes(&self) -> usize;
    /// How many messages the request has.
    fn messages(&self) -> usize;
    /// A message: who speaks, and at most so many bytes of the text, from its
    /// beginning. `None` past the end.
    fn message(&self, number: usize, most: usize) -> Option<Words>;
    /// The answer, if the gateway has it.
    fn answer(&self, most: usize) -> Option<Words>;
}

/// What somebody said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Who.
    pub role: String,
    /// What.
    pub text: String,
    /// Whether that is not all of it.
    pub is_cut: bool,
    /// Why an answer ended, if that is known.
    pub finish_reason: Option<String>,
}

/// What of it is told.
#[derive(Debug)]
pub(super) enum Content {
    /// The messages, as JSON in the form that the conventions have for them.
    Read { input: String, output: Option<String>, is_cut: bool },
    /// Nothing: too much was waiting to be told.
    TooMuch,
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
        let (mut words, mut left, mut is_cut) = (Vec::new(), MOST, false);
        // The newest first, since they ask the question; they are told in order.
        for number in (0..exchange.messages()).rev() {
            if left == 0 {
                is_cut = true;
                break;
            }
            let Some(said) = exchange.message(number, left) else { continue };
            left = left.saturating_sub(said.text.len());
            is_cut |= said.is_cut;
            words.push(said);
        }
        let answer = exchange.answer(MOST);
        is_cut |= answer.as_ref().is_some_and(|answer| answer.is_cut);
        let output = answer.map(|answer| json(&[Message::of(&answer)]));
        let input = json(&words.iter().rev().map(Message::of).collect::<Vec<_>>());
        Self::Read { input, output, is_cut }
    }

    pub(super) fn tell(&self, attributes: &mut Attributes<'_, '_>) {
        match self {
            Self::Read { input, output, is_cut } => {
                attributes.text("gen_ai.input.messages", input);
                attributes.maybe("gen_ai.output.messages", output.as_deref());
                if *is_cut {
                    attributes.flag("pointsman.content.cut", true);
                }
            }
            Self::TooMuch => attributes.flag("pointsman.content.dropped", true),
        }
    }
}

impl<'w> Message<'w> {
    fn of(words: &'w Words) -> Self {
        let text = Part { kind: "text", content: &words.text };
        let parts = if words.text.is_empty() { Vec::new() } else { vec![text] };
        Self { role: &words.role, parts, finish_reason: words.finish_reason.as_deref() }
    }
}

/// Texts are all there is in it, so there is nothing that cannot be written.
fn json(messages: &[Message<'_>]) -> String {
    serde_json::to_string(messages).unwrap_or_default()
}

#[cfg(test)]
mod tests;
