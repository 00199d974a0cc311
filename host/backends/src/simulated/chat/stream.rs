//! Streams of simulated chats.

use bytes::Bytes;

use super::super::body::ChunkSource;
use super::choice::{Piece, SimulatedChoice};
use super::render::AnswerFormat;
use super::tools::ToolCall;

/// Stream of an answer. Its choices are generated side by side, a token of each at a time.
#[derive(Debug)]
pub(super) struct AnswerStream {
    format: AnswerFormat,
    choices: Vec<SimulatedChoice>,
    next: NextEvent,
}

/// Next event of a stream.
#[derive(Clone, Copy, Debug)]
enum NextEvent {
    First,
    /// The tokens from this one on, of each choice.
    Token(usize),
    None,
}

impl AnswerStream {
    pub(super) fn new(format: AnswerFormat, choices: Vec<SimulatedChoice>) -> Self {
        Self { format, choices, next: NextEvent::First }
    }

    fn has_token(&self, token: usize) -> bool {
        self.choices.iter().any(|choice| token < choice.pieces.len())
    }
}

impl ChunkSource for AnswerStream {
    fn next_token(&self) -> Option<usize> {
        match self.next {
            NextEvent::First => Some(0),
            NextEvent::Token(token) if self.has_token(token) => Some(token),
            // The end follows the last token at once.
            NextEvent::Token(token) => Some(token.saturating_sub(1)),
            NextEvent::None => None,
        }
    }

    fn next_chunk(&mut self, due: usize) -> Bytes {
        let mut out = Vec::new();
        match self.next {
            NextEvent::First => {
                (0..self.choices.len()).for_each(|index| self.format.first_event(index, &mut out));
                self.next = NextEvent::Token(0);
            }
            NextEvent::Token(first) if self.has_token(first) => {
                for (index, choice) in self.choices.iter().enumerate() {
                    let (before, rest) = choice.pieces.split_at(first.min(choice.pieces.len()));
                    let pieces = rest.get(..(due.max(first) - first).min(rest.len())).unwrap_or_default();
                    self.format.events(index, pieces, latest_call(before), &mut out);
                }
                self.next = NextEvent::Token(due.max(first + 1));
            }
            NextEvent::Token(_) => {
                self.format.last_events(&self.choices, &mut out);
                self.next = NextEvent::None;
            }
            NextEvent::None => {}
        }
        out.into()
    }
}

/// Returns the call that the next arguments belong to.
fn latest_call(pieces: &[Piece]) -> Option<&ToolCall> {
    pieces.iter().rev().find_map(|piece| match piece {
        Piece::Call(_, call) => Some(call),
        _ => None,
    })
}
