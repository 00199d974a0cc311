//! Choices of an answer, as the sequence of their tokens.

use fastrand::Rng;

use super::super::schema::{self, Hints};
use super::super::tokens::{pieces, tokens};
use super::prose;
use super::reasoning::thoughts;
use super::request::{AnswerShape, ChatRequest};
use super::tools::{ToolCall, ToolKind};

/// Choice of an answer.
#[derive(Debug)]
pub(super) struct SimulatedChoice {
    pub(super) pieces: Vec<Piece>,
    pub(super) finish_reason: &'static str,
}

/// Part of an answer that counts as one token.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Reasoning(String),
    Text(String),
    /// Beginning of a tool call, with its position among the calls.
    Call(usize, ToolCall),
    /// Next part of the arguments of the call at a position.
    Arguments(usize, String),
}

impl SimulatedChoice {
    pub(super) fn new(request: &ChatRequest, id: u64, choices: &mut Rng) -> Self {
        let mut pieces: Vec<Piece> = thoughts(request).map(Piece::Reasoning).collect();
        let mut hints = Hints::of(&request.text);
        let calls = request.tools.select(&request.text, !request.tool_results.is_empty());
        let mut finish_reason = "stop";
        if !calls.is_empty() {
            finish_reason = if calls.iter().any(|tool| tool.kind == ToolKind::LegacyFunction) {
                "function_call"
            } else {
                "tool_calls"
            };
            for (position, tool) in calls.into_iter().enumerate() {
                let arguments = tool.arguments(&mut hints, choices);
                let id = format!("call_simulated_{:016x}", id.wrapping_mul(31).wrapping_add(position as u64));
                pieces.push(Piece::Call(position, ToolCall { id, name: tool.name.clone(), kind: tool.kind }));
                pieces
                    .extend(self::pieces(&arguments).map(|part| Piece::Arguments(position, part.to_owned())));
            }
        } else {
            let text = match &request.shape {
                AnswerShape::Text => prose::text(request, choices),
                AnswerShape::Object => schema::answer_object(&request.model, &prose::text(request, choices)),
                AnswerShape::Schema(schema) => schema::value(schema, &mut hints, choices).to_string(),
            };
            let text = before_stop(&text, &request.stop);
            match request.shape {
                AnswerShape::Text => pieces.extend(tokens(text).map(|token| Piece::Text(token.to_owned()))),
                _ => pieces.extend(self::pieces(text).map(|token| Piece::Text(token.to_owned()))),
            }
        }
        let limit = request.max_tokens.map_or(usize::MAX, |limit| limit as usize);
        if pieces.len() > limit {
            pieces.truncate(limit);
            finish_reason = "length";
        }
        Self { pieces, finish_reason }
    }

    pub(super) fn reasoning_tokens(&self) -> usize {
        self.pieces.iter().filter(|piece| matches!(piece, Piece::Reasoning(_))).count()
    }
}

/// Returns a text up to the first of the sequences that end an answer.
fn before_stop<'a>(text: &'a str, stop: &[String]) -> &'a str {
    let ends = stop.iter().filter(|sequence| !sequence.is_empty()).filter_map(|sequence| text.find(sequence));
    let end = ends.min().unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}
