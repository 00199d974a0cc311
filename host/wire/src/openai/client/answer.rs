//! Rendering of chat answers, whole and as events of a stream.

use bytes::Bytes;
use pointsman_domain::usage::Usage;
use serde::Serialize;

use crate::json::quoted_interior;

/// Members that all events of one answer have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerHead<'a> {
    /// Identifier: `chatcmpl-…`.
    pub id: &'a str,
    /// Time of creation in seconds since 1970.
    pub created: u64,
    /// Name of the model that answers.
    pub model: &'a str,
}

/// Reason why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model completed its answer.
    Stop,
    /// The limit of tokens was reached.
    Length,
}

/// Bytes of a complete text in one event of a stream: clients limit the length of a line.
const EVENT_TEXT: usize = 4 << 10;
/// Bytes of a complete text that are escaped at a time for a whole answer.
const CHUNK_TEXT: usize = 64 << 10;
/// Placeholder of the text of an answer.
const EMPTY_CONTENT: &[u8] = br#""content":"""#;

/// Last event of a stream.
pub const DONE_EVENT: Bytes = Bytes::from_static(b"data: [DONE]\n\n");

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<UsageMembers>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<ChoiceMessage<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<ChoiceMessage<'a>>,
    finish_reason: Option<FinishReason>,
}

#[derive(Clone, Copy, Default, Serialize)]
struct ChoiceMessage<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
}

#[derive(Serialize)]
struct UsageMembers {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

impl From<Usage> for UsageMembers {
    fn from(usage: Usage) -> Self {
        Self {
            prompt_tokens: usage.input_tokens,
            completion_tokens: usage.output_tokens,
            total_tokens: usage.input_tokens.saturating_add(usage.output_tokens),
        }
    }
}

impl AnswerHead<'_> {
    /// Renders a whole answer.
    pub fn completion(&self, content: &str, finish_reason: FinishReason, usage: Usage) -> Bytes {
        let message = ChoiceMessage { role: Some("assistant"), content: Some(content) };
        let choice =
            Choice { index: 0, message: Some(message), delta: None, finish_reason: Some(finish_reason) };
        self.serialize("chat.completion", &[choice], Some(usage)).into()
    }

    /// Renders the first event of a stream, which has the role.
    pub fn role_event(&self) -> Bytes {
        self.delta(ChoiceMessage { role: Some("assistant"), content: Some("") }, None)
    }

    /// Renders an event with the next text of the answer.
    pub fn content_event(&self, piece: &str) -> Bytes {
        self.delta(ChoiceMessage { role: None, content: Some(piece) }, None)
    }

    /// Renders the event that ends the answer.
    pub fn finish_event(&self, reason: FinishReason) -> Bytes {
        self.delta(ChoiceMessage::default(), Some(reason))
    }

    /// Renders the event with the usage, before [`DONE_EVENT`].
    pub fn usage_event(&self, usage: Usage) -> Bytes {
        self.event(&[], Some(usage))
    }

    /// Renders a whole answer with a text of any length, in chunks that are made one by one.
    pub fn completion_chunks(
        &self,
        text: String,
        usage: Usage,
    ) -> impl Iterator<Item = Bytes> + Send + use<> {
        let (before, after) = around_content(&self.completion("", FinishReason::Stop, usage));
        std::iter::once(before).chain(escaped_chunks(text, CHUNK_TEXT)).chain(std::iter::once(after))
    }

    /// Renders a complete text as a stream, with usage at the end if there is any. Events are
    /// made one by one.
    pub fn stream_events(
        &self,
        text: String,
        usage: Option<Usage>,
    ) -> impl Iterator<Item = Bytes> + Send + use<> {
        let (before, after) = around_content(&self.content_event(""));
        let event = move |piece: Bytes| Bytes::from([&before[..], &piece, &after].concat());
        let ending = [
            Some(self.finish_event(FinishReason::Stop)),
            usage.map(|usage| self.usage_event(usage)),
            Some(DONE_EVENT),
        ];
        let content = escaped_chunks(text, EVENT_TEXT).map(event);
        std::iter::once(self.role_event()).chain(content).chain(ending.into_iter().flatten())
    }

    fn delta(&self, delta: ChoiceMessage<'_>, finish_reason: Option<FinishReason>) -> Bytes {
        self.event(&[Choice { index: 0, message: None, delta: Some(delta), finish_reason }], None)
    }

    fn event(&self, choices: &[Choice<'_>], usage: Option<Usage>) -> Bytes {
        let mut event = b"data: ".to_vec();
        event.extend_from_slice(&self.serialize("chat.completion.chunk", choices, usage));
        event.extend_from_slice(b"\n\n");
        event.into()
    }

    fn serialize(&self, object: &'static str, choices: &[Choice<'_>], usage: Option<Usage>) -> Vec<u8> {
        let Self { id, created, model } = *self;
        let completion =
            Completion { id, object, created, model, choices, usage: usage.map(UsageMembers::from) };
        // Strings and numbers into a vector: this cannot fail.
        serde_json::to_vec(&completion).unwrap_or_default()
    }
}

/// Splits an answer with an empty text into the bytes before and after the text. Quotes in the
/// strings before it are escaped, so none of them looks like it.
fn around_content(answer: &Bytes) -> (Bytes, Bytes) {
    let at =
        memchr::memmem::find(answer, EMPTY_CONTENT).map_or(answer.len(), |at| at + EMPTY_CONTENT.len() - 1);
    (answer.slice(..at), answer.slice(at..))
}

/// Escapes a text for JSON, at most `max_bytes` bytes of it at a time.
fn escaped_chunks(text: String, max_bytes: usize) -> impl Iterator<Item = Bytes> + Send {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let (piece, _) = rest.split_at(rest.floor_char_boundary(max_bytes));
        at += piece.len();
        Some(quoted_interior(piece))
    })
}

#[cfg(test)]
mod tests;
