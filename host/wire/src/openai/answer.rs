//! Writing answers, as a model server does.

use bytes::Bytes;
use pointsman_domain::outcome::Usage;
use serde::Serialize;

/// What all parts of one answer have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head<'a> {
    /// `chatcmpl-…`
    pub id: &'a str,
    /// Seconds since 1970.
    pub created: u64,
    /// The model that answers.
    pub model: &'a str,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model was done.
    Stop,
    /// The limit on tokens was reached.
    Length,
}

/// How much of a text that is all there comes in one event of a stream: clients
/// have limits for a line.
const PIECE: usize = 4 << 10;

/// The last event of a stream.
pub const DONE: Bytes = Bytes::from_static(b"data: [DONE]\n\n");

#[derive(Serialize)]
struct Completion<'a> {
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
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<Message<'a>>,
    finish_reason: Option<FinishReason>,
}

#[derive(Clone, Copy, Default, Serialize)]
struct Message<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
}

#[derive(Serialize)]
struct UsageBody {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

impl From<Usage> for UsageBody {
    fn from(usage: Usage) -> Self {
        Self {
            prompt_tokens: usage.input_tokens,
            completion_tokens: usage.output_tokens,
            total_tokens: usage.input_tokens.saturating_add(usage.output_tokens),
        }
    }
}

impl Head<'_> {
    /// A whole answer.
    pub fn whole(&self, content: &str, finish_reason: FinishReason, usage: Usage) -> Bytes {
        let message = Message { role: Some("assistant"), content: Some(content) };
        let choice =
            Choice { index: 0, message: Some(message), delta: None, finish_reason: Some(finish_reason) };
        self.written("chat.completion", &[choice], Some(usage)).into()
    }

    /// The first event of a stream: who speaks.
    pub fn role(&self) -> Bytes {
        self.delta(Message { role: Some("assistant"), content: Some("") }, None)
    }

    /// An event with the next piece of the answer.
    pub fn content(&self, piece: &str) -> Bytes {
        self.delta(Message { role: None, content: Some(piece) }, None)
    }

    /// The event that ends the answer.
    pub fn finish(&self, reason: FinishReason) -> Bytes {
        self.delta(Message::default(), Some(reason))
    }

    /// The event that tells what was used, before [`DONE`].
    pub fn usage(&self, usage: Usage) -> Bytes {
        self.event(&[], Some(usage))
    }

    /// A stream of a text that is all there, usage at the end if it was asked for.
    pub fn stream_of(&self, text: &str, usage: Option<Usage>) -> Vec<Bytes> {
        let mut events = vec![self.role()];
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE));
            events.push(self.content(piece));
            rest = after;
        }
        events.push(self.finish(FinishReason::Stop));
        events.extend(usage.map(|usage| self.usage(usage)));
        events.push(DONE);
        events
    }

    fn delta(&self, delta: Message<'_>, finish_reason: Option<FinishReason>) -> Bytes {
        self.event(&[Choice { index: 0, message: None, delta: Some(delta), finish_reason }], None)
    }

    fn event(&self, choices: &[Choice<'_>], usage: Option<Usage>) -> Bytes {
        let mut event = b"data: ".to_vec();
        event.extend_from_slice(&self.written("chat.completion.chunk", choices, usage));
        event.extend_from_slice(b"\n\n");
        event.into()
    }

    fn written(&self, object: &'static str, choices: &[Choice<'_>], usage: Option<Usage>) -> Vec<u8> {
        let Self { id, created, model } = *self;
        let completion =
            Completion { id, object, created, model, choices, usage: usage.map(UsageBody::from) };
        // Strings and numbers into a vector: there is nothing that could fail.
        serde_json::to_vec(&completion).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
