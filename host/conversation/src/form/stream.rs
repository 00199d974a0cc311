//! Streamed answers in the common form.
//!
//! An answer is a [start](AnswerEvent::Start), its parts one after another, a
//! [stop](AnswerEvent::Stop), usage at any place, and [done](AnswerEvent::Done). Parts do not
//! overlap: a reader whose provider interleaves parts, such as parallel calls of tools, ends one
//! before it begins the next.

use std::fmt;

use pointsman_domain::serving_error::ServingError;
use pointsman_domain::usage::Usage;
use pointsman_wire::usage_count::UsageCount;

use super::answer::{ProviderError, StopReason};
use super::request::{Citation, PartContent, ProviderPart, Signature};

/// Event of a streamed answer.
#[derive(Clone, Debug, PartialEq)]
pub enum AnswerEvent {
    /// The answer begins. Always first, and once.
    Start(AnswerStart),
    /// A part begins.
    PartStart(PartStart),
    /// The current part goes on.
    Delta(PartDelta),
    /// The current part ends.
    PartEnd,
    /// The model has ended its answer. Usage may follow.
    Stop(StopReason),
    /// Tokens as the provider counted them so far. Later counts replace earlier ones.
    Usage(UsageCount),
    /// The provider reports an error, which ends the stream.
    Error(ProviderError),
    /// The provider's stream is complete; nothing follows.
    Done,
}

/// Head of a streamed answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerStart {
    /// Id that the provider gave the answer; empty if it gave none.
    pub id: String,
    /// Time of creation in seconds since 1970, if it is stated.
    pub created: Option<u64>,
    /// Name of the model as the provider states it; empty if it does not.
    pub model: String,
}

/// Kind of a part that begins.
#[derive(Clone, Debug, PartialEq)]
pub enum PartStart {
    /// Text.
    Text,
    /// Reasoning. `is_summary` if the text is a summary.
    Reasoning {
        /// True if the text is a summary.
        is_summary: bool,
    },
    /// Refusal.
    Refusal,
    /// Image, audio, video or document, whole: no text follows.
    Media(Box<PartContent>),
    /// Call of a tool.
    ToolCall {
        /// Id, to which the result refers.
        id: String,
        /// Name of the tool.
        name: String,
        /// True if the input is text (OpenAI's custom tools).
        takes_text: bool,
    },
    /// Part that only the dialects of one family can express, whole: no delta follows.
    Provider(Box<ProviderPart>),
}

/// Continuation of the current part.
#[derive(Clone, Debug, PartialEq)]
pub enum PartDelta {
    /// Next text of a text, a reasoning or a refusal.
    Text(String),
    /// Next piece of a call's input, cut anywhere.
    ToolInput(String),
    /// Citation of the current text.
    Citation(Box<Citation>),
    /// Signature of the current part.
    Signature(Signature),
    /// Encrypted reasoning in place of a text.
    Encrypted(Signature),
}

/// Reads the stream of one provider, event by event.
pub trait StreamReader: fmt::Debug + Send {
    /// Reads the data of one event, and appends what it means. Data that is not of the dialect is
    /// ignored, as SDKs do.
    fn read(&mut self, data: &[u8], events: &mut Vec<AnswerEvent>);

    /// Ends the stream, and appends what follows from its end: the end of a part that is open, and
    /// [`AnswerEvent::Done`] in a dialect without an event for it, if the answer is complete.
    fn finish(&mut self, events: &mut Vec<AnswerEvent>);
}

/// Renders a streamed answer for the clients of one API.
pub trait StreamWriter: fmt::Debug + Send {
    /// Appends the bytes for one event: `Start`, `PartStart`, `Delta` or `PartEnd`. The others are
    /// ignored: the answer is ended by [`end`](Self::end), an error by [`error`](Self::error).
    fn write(&mut self, event: &AnswerEvent, out: &mut Vec<u8>);

    /// Appends the bytes that end a complete answer, with its usage.
    fn end(&mut self, stop: &StopReason, usage: Usage, out: &mut Vec<u8>);

    /// Appends an error event that ends the stream. The client's SDK raises it.
    fn error(&mut self, error: &ServingError, out: &mut Vec<u8>);
}
