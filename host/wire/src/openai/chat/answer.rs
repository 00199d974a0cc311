//! What an answer says: a whole one, or one event of a stream.

use pointsman_domain::outcome::Usage;

use crate::json::{Container, Path, Scalar, Scanner, Span, Text, Visitor, keys};
use crate::tokens;

/// What a whole answer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Tokens as the backend counted them, if it did.
    pub usage: Option<Usage>,
    /// Bytes of text that the model wrote, to estimate from.
    pub output_bytes: u64,
}

impl Answer {
    /// The backend's count, or an estimate for an input of so many tokens.
    pub fn usage_or_estimate(&self, input_tokens: u32) -> Usage {
        self.usage.unwrap_or_else(|| estimate(input_tokens, self.output_bytes))
    }
}

pub(super) fn estimate(input_tokens: u32, output_bytes: u64) -> Usage {
    Usage { input_tokens: input_tokens.into(), output_tokens: tokens::of_text(output_bytes), estimated: true }
}

/// What came is no chat completion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAnswer {
    /// It is not JSON at all, or not complete.
    #[error("not valid JSON: {0}")]
    NotJson(String),
    /// It is something else.
    #[error("not a JSON object with an array of choices")]
    NoChoices,
}

/// Reads a whole answer while it arrives.
#[derive(Debug)]
pub struct AnswerScan {
    scanner: Scanner,
    reading: Reading,
}

impl AnswerScan {
    /// Before the first byte.
    pub fn new() -> Self {
        Self { scanner: Scanner::new(), reading: Reading::default() }
    }

    /// Reads the next chunk, cut anywhere. After an error the scan is of no more use.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), NotAnAnswer> {
        self.scanner.push(chunk, &mut self.reading).map_err(|error| NotAnAnswer::NotJson(error.to_string()))
    }

    /// Says that the answer has ended.
    pub fn finish(mut self) -> Result<Answer, NotAnAnswer> {
        self.scanner.finish(&mut self.reading).map_err(|error| NotAnAnswer::NotJson(error.to_string()))?;
        if !self.reading.has_choices {
            return Err(NotAnAnswer::NoChoices);
        }
        Ok(Answer { usage: self.reading.usage.complete(), output_bytes: self.reading.text_bytes })
    }
}

impl Default for AnswerScan {
    fn default() -> Self {
        Self::new()
    }
}

/// The usage in a whole answer; `None` when the backend did not count.
pub fn answer_usage(answer: &[u8]) -> Result<Option<Usage>, NotAnAnswer> {
    let mut scan = AnswerScan::new();
    scan.push(answer)?;
    Ok(scan.finish()?.usage)
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Root,
    Choices,
    Choice,
    /// A choice's `message` or `delta`.
    Message,
    /// A message's `content`, if an array.
    Parts,
    Part,
    ToolCalls,
    ToolCall,
    /// What is called.
    Function,
    Audio,
    Usage,
    Error,
}

keys! {
    Choices = "choices",
    Usage = "usage",
    Error = "error",
    Message = "message",
    Delta = "delta",
    FinishReason = "finish_reason",
    Content = "content",
    ReasoningContent = "reasoning_content",
    Reasoning = "reasoning",
    Refusal = "refusal",
    Text = "text",
    ToolCalls = "tool_calls",
    FunctionCall = "function_call",
    Function = "function",
    Custom = "custom",
    Name = "name",
    Arguments = "arguments",
    Input = "input",
    Audio = "audio",
    Transcript = "transcript",
    PromptTokens = "prompt_tokens",
    CompletionTokens = "completion_tokens",
}

/// What was found in an answer or an event.
#[derive(Debug, Default)]
pub(super) struct Reading {
    path: Path<Place, Key>,
    /// It is an object with an array of choices.
    pub has_choices: bool,
    /// How many.
    pub choices: usize,
    /// The count, if there is one.
    pub usage: Count,
    /// A `usage` that is null: from its key to its value's end.
    pub null_usage: Option<Span>,
    /// What went wrong, if that is what it tells.
    pub error: Option<String>,
    /// The model wrote something, or ended.
    pub is_meaningful: bool,
    /// It tells why the model ended.
    pub is_finished: bool,
    /// Bytes of text that the model wrote.
    pub text_bytes: u64,
    /// How many texts those are.
    pub texts: usize,
    /// Where the last of them is.
    pub last_text: Span,
    /// The last text at the top that nobody reads.
    pub padding: Option<Span>,
    usage_key: usize,
}

/// Tokens, as far as they were read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    input: Option<u64>,
    output: Option<u64>,
}

impl Count {
    pub fn complete(self) -> Option<Usage> {
        Some(Usage { input_tokens: self.input?, output_tokens: self.output?, estimated: false })
    }
}

impl Reading {
    fn text(&mut self, text: &Text<'_>) {
        self.text_bytes += text.decoded_len as u64;
        self.texts += 1;
        self.last_text = text.span.clone();
        self.is_meaningful |= !text.span.is_empty();
    }

    fn place_of(&mut self, container: Container) -> Option<Place> {
        let is_object = container == Container::Object;
        Some(match (self.path.place(), self.path.key(), is_object) {
            (None, _, true) => Place::Root,
            (Some(Place::Root), Key::Choices, false) => {
                self.has_choices = true;
                Place::Choices
            }
            (Some(Place::Root), Key::Usage, true) => Place::Usage,
            (Some(Place::Root), Key::Error, true) => {
                self.error.get_or_insert_default();
                Place::Error
            }
            (Some(Place::Choices), _, true) => {
                self.choices += 1;
                Place::Choice
            }
            (Some(Place::Choice), Key::Message | Key::Delta, true) => Place::Message,
            (Some(Place::Message), Key::Content, false) => Place::Parts,
            (Some(Place::Parts), _, true) => Place::Part,
            (Some(Place::Message), Key::ToolCalls, false) => Place::ToolCalls,
            (Some(Place::ToolCalls), _, true) => self.meant(Place::ToolCall),
            (Some(Place::ToolCall), Key::Function | Key::Custom, true) => Place::Function,
            (Some(Place::Message), Key::FunctionCall, true) => self.meant(Place::Function),
            (Some(Place::Message), Key::Audio, true) => self.meant(Place::Audio),
            _ => return None,
        })
    }

    fn meant(&mut self, place: Place) -> Place {
        self.is_meaningful = true;
        place
    }
}

impl Visitor for Reading {
    fn begin(&mut self, container: Container, _: usize) {
        let place = if self.path.is_skipping() { None } else { self.place_of(container) };
        self.path.enter(place);
    }

    fn key(&mut self, text: &Text<'_>) {
        if self.path.is_skipping() {
            return;
        }
        let key = Key::of(text);
        self.path.set_key(key, key as u32);
        if key == Key::Usage {
            self.usage_key = text.span.start - 1;
        }
    }

    fn scalar(&mut self, value: &Scalar<'_>, span: Span) {
        if self.path.is_skipping() {
            return;
        }
        let Some(place) = self.path.place() else { return };
        match (place, self.path.key(), value) {
            (Place::Message, Key::Content | Key::ReasoningContent | Key::Reasoning, Scalar::String(text))
            | (Place::Message, Key::Refusal, Scalar::String(text))
            | (Place::Part, Key::Text, Scalar::String(text))
            | (Place::Function, Key::Name | Key::Arguments | Key::Input, Scalar::String(text))
            | (Place::Audio, Key::Transcript, Scalar::String(text)) => self.text(text),
            (Place::Choice, Key::FinishReason, Scalar::String(_)) => {
                self.is_finished = true;
                self.is_meaningful = true;
            }
            (Place::Root, Key::Other, Scalar::String(text)) => self.padding = Some(text.span.clone()),
            (Place::Root, Key::Usage, Scalar::Null) => self.null_usage = Some(self.usage_key..span.end),
            (Place::Usage, Key::PromptTokens, Scalar::Number(raw)) => self.usage.input = count(raw),
            (Place::Usage, Key::CompletionTokens, Scalar::Number(raw)) => self.usage.output = count(raw),
            (Place::Root, Key::Error, Scalar::String(text))
            | (Place::Error, Key::Message, Scalar::String(text)) => {
                self.error = text.short().map(String::from).or(Some(String::new()));
            }
            _ => {}
        }
    }

    fn end(&mut self, _: usize) {
        self.path.leave();
    }
}

fn count(raw: &[u8]) -> Option<u64> {
    std::str::from_utf8(raw).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
