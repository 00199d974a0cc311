//! What an answer says: a whole one, or one event of a stream.

use pointsman_domain::outcome::Usage;

use crate::json::{Container, Path, Scalar, Span, Text, Visitor, keys, scan, unescape};
use crate::openai::output::NotAnAnswer;
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
    /// Reads a whole answer.
    pub fn read(answer: &[u8]) -> Result<Self, NotAnAnswer> {
        Ok(Self::of(&Reading::whole(answer, Reading::default())?))
    }

    /// The backend's count, or an estimate for an input of so many tokens.
    pub fn usage_or_estimate(&self, input_tokens: u32) -> Usage {
        self.usage.unwrap_or_else(|| estimate(input_tokens, self.output_bytes))
    }

    fn of(reading: &Reading) -> Self {
        Self { usage: reading.usage.complete(), output_bytes: reading.text_bytes }
    }
}

/// What the model says in the first choice of a whole answer, and why it ended.
pub(in crate::openai) fn said(answer: &[u8]) -> Result<(String, Option<String>, Answer), NotAnAnswer> {
    let reading = Reading::whole(answer, Reading { first: Some(Box::default()), ..Reading::default() })?;
    let facts = Answer::of(&reading);
    let Said { texts, finish_reason, .. } = reading.first.map(|said| *said).unwrap_or_default();
    let text = texts.into_iter().filter_map(|span| answer.get(span)).map(unescape).collect();
    Ok((text, finish_reason, facts))
}

pub(super) fn estimate(input_tokens: u32, output_bytes: u64) -> Usage {
    Usage { input_tokens: input_tokens.into(), output_tokens: tokens::of_text(output_bytes), estimated: true }
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
    Type = "type",
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
    /// What the first choice says, if that is asked for.
    first: Option<Box<Said>>,
    usage_key: usize,
}

/// What one choice says.
#[derive(Debug, Default)]
struct Said {
    /// Its texts, without what the model only thought.
    texts: Vec<Span>,
    /// How many there were before the part under way.
    before_part: usize,
    /// Whether that part is something else than text.
    is_other: bool,
    finish_reason: Option<String>,
}

/// Tokens, as far as they were read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    input: Option<u64>,
    output: Option<u64>,
}

impl Count {
    pub fn complete(self) -> Option<Usage> {
        Usage::reported(self.input?, self.output?)
    }
}

impl Reading {
    /// Reads a whole answer, which has to be one.
    fn whole(answer: &[u8], mut reading: Self) -> Result<Self, NotAnAnswer> {
        scan(answer, &mut reading).map_err(|error| NotAnAnswer::NotJson(error.to_string()))?;
        if reading.has_choices { Ok(reading) } else { Err(NotAnAnswer::NoChoices) }
    }

    /// The choice under way, if it is the first and that one is asked for.
    fn said(&mut self) -> Option<&mut Said> {
        self.first.as_deref_mut().filter(|_| self.choices == 1)
    }

    fn said_text(&mut self, text: &Text<'_>) {
        if let Some(said) = self.said() {
            said.texts.push(text.span.clone());
        }
        self.text(text);
    }

    fn begin_part(&mut self) -> Place {
        if let Some(said) = self.said() {
            said.before_part = said.texts.len();
            said.is_other = false;
        }
        Place::Part
    }

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
            (Some(Place::Parts), _, true) => self.begin_part(),
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
            (Place::Message, Key::Content, Scalar::String(text))
            | (Place::Part, Key::Text, Scalar::String(text)) => self.said_text(text),
            (Place::Part, Key::Type, Scalar::String(kind)) => {
                if let Some(said) = self.said() {
                    said.is_other = !matches!(kind.raw, Some(b"text" | b"output_text"));
                }
            }
            (Place::Message, Key::ReasoningContent | Key::Reasoning, Scalar::String(text))
            | (Place::Message, Key::Refusal, Scalar::String(text))
            | (Place::Function, Key::Name | Key::Arguments | Key::Input, Scalar::String(text))
            | (Place::Audio, Key::Transcript, Scalar::String(text)) => self.text(text),
            (Place::Choice, Key::FinishReason, Scalar::String(reason)) => {
                self.is_finished = true;
                self.is_meaningful = true;
                if let Some(said) = self.said() {
                    said.finish_reason = reason.short().map(String::from);
                }
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
        if let Some(Place::Part) = self.path.leave()
            && let Some(said) = self.said()
            && said.is_other
        {
            said.texts.truncate(said.before_part);
        }
    }
}

fn count(raw: &[u8]) -> Option<u64> {
    std::str::from_utf8(raw).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
