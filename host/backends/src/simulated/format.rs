//! Simulated answers in the form of OpenAI's API.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use pointsman_domain::usage::Usage;
use pointsman_wire::openai::client::{AnswerHead, DONE_EVENT, ErrorBody, FinishReason};

use super::answer::SimulatedAnswer;
use super::request::ChatRequest;

/// Members that all parts of one answer share.
#[derive(Debug)]
pub(super) struct AnswerFormat {
    id: String,
    created: u64,
    model: String,
    input_tokens: u64,
    wants_usage: bool,
}

impl AnswerFormat {
    pub(super) fn new(id: u64, request: &ChatRequest) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            id: format!("chatcmpl-simulated-{id:016x}"),
            created: now.map_or(0, |since| since.as_secs()),
            model: request.model.clone(),
            input_tokens: request.input_tokens,
            wants_usage: request.wants_usage,
        }
    }

    /// Returns the answer in one piece.
    pub(super) fn whole(&self, answer: &SimulatedAnswer) -> Bytes {
        self.head().completion(&answer.tokens.concat(), finish_reason(answer), self.usage(answer))
    }

    /// Returns the first event of a stream.
    pub(super) fn first_event(&self) -> Bytes {
        self.head().role_event()
    }

    /// Returns an event with some tokens.
    pub(super) fn token_event(&self, tokens: &[String]) -> Bytes {
        self.head().content_event(&tokens.concat())
    }

    /// Returns the last events of a stream.
    pub(super) fn last_events(&self, answer: &SimulatedAnswer) -> Bytes {
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

    fn usage(&self, answer: &SimulatedAnswer) -> Usage {
        Usage::counted(self.input_tokens, answer.tokens.len() as u64)
    }
}

/// Returns an error body.
pub(super) fn error(status: u16, message: &str) -> Bytes {
    let kind = if status < 500 { "invalid_request_error" } else { "server_error" };
    ErrorBody { message, kind, param: None, code: None }.to_bytes()
}

fn finish_reason(answer: &SimulatedAnswer) -> FinishReason {
    if answer.cut { FinishReason::Length } else { FinishReason::Stop }
}
