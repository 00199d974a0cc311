//! The simulated fleet's answers in OpenAI's shapes.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use pointsman_domain::usage::Usage;
use pointsman_wire::openai::client::{AnswerHead, DONE_EVENT, ErrorBody, FinishReason};

use super::answer::Answer;
use super::request::Asked;

/// What every piece of one answer says of itself.
#[derive(Debug)]
pub(super) struct Format {
    id: String,
    created: u64,
    model: String,
    input_tokens: u64,
    wants_usage: bool,
}

impl Format {
    pub(super) fn new(id: u64, asked: &Asked) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            id: format!("chatcmpl-simulated-{id:016x}"),
            created: now.map_or(0, |since| since.as_secs()),
            model: asked.model.clone(),
            input_tokens: asked.input_tokens,
            wants_usage: asked.wants_usage,
        }
    }

    /// An answer in one piece.
    pub(super) fn whole(&self, answer: &Answer) -> Bytes {
        self.head().completion(&answer.tokens.concat(), finish_reason(answer), self.usage(answer))
    }

    /// The event that opens a stream.
    pub(super) fn opening(&self) -> Bytes {
        self.head().role_event()
    }

    /// An event with some tokens.
    pub(super) fn said(&self, tokens: &[String]) -> Bytes {
        self.head().content_event(&tokens.concat())
    }

    /// The events that end a stream.
    pub(super) fn ending(&self, answer: &Answer) -> Bytes {
        let mut events = vec![self.head().finish_event(finish_reason(answer))];
        if self.wants_usage {
            events.push(self.head().usage_event(self.usage(answer)));
        }
        events.push(DONE_EVENT);
        Bytes::from(events.concat())
    }

    fn head(&self) -> AnswerHead<'_> {
        AnswerHead { id: &self.id, created: self.created, model: &self.model }
    }

    fn usage(&self, answer: &Answer) -> Usage {
        Usage::counted(self.input_tokens, answer.tokens.len() as u64)
    }
}

/// An error in OpenAI's shape.
pub(super) fn error(status: u16, message: &str) -> Bytes {
    let kind = if status < 500 { "invalid_request_error" } else { "server_error" };
    ErrorBody { message, kind, param: None, code: None }.to_bytes()
}

fn finish_reason(answer: &Answer) -> FinishReason {
    if answer.cut { FinishReason::Length } else { FinishReason::Stop }
}
