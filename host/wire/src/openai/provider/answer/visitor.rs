//! Visitor of an answer or of an event.

use super::keys::{Key, MemberKind, Place};
use crate::answer::{InvalidAnswer, ReportedError};
use crate::json::{Container, JsonText, Path, Scalar, Span, Visitor, scan, whole_number};
use crate::openai::provider::choices::ChoiceSet;
use crate::openai::provider::error::classify_error;
use crate::usage_count::UsageCount;

/// Member `error` of an answer.
#[derive(Debug, Default)]
pub(in crate::openai) struct ErrorMember {
    /// Message; empty if there is none.
    pub message: String,
    /// Code, if it is an HTTP status.
    pub status: Option<u16>,
}
/// Visitor that collects the facts of an answer or of an event.
#[derive(Debug, Default)]
pub(in crate::openai) struct AnswerVisitor {
    path: Path<Place, Key>,
    /// True for an object with an array of choices.
    pub has_choices: bool,
    /// Number of choices.
    pub choices: usize,
    /// Indexes of the choices.
    pub seen: ChoiceSet,
    /// Indexes of the choices that have a finish reason.
    pub finished: ChoiceSet,
    /// Tokens as the backend counted them.
    pub count: UsageCount,
    /// Span of the member `usage`, from its key to the end of its value.
    pub usage: Option<Span>,
    /// True if `usage` is an object.
    pub has_usage: bool,
    /// Reported error.
    pub error: Option<ErrorMember>,
    /// True if there is content or a finish reason.
    pub is_meaningful: bool,
    /// Bytes of text in known members.
    text_bytes: u64,
    /// Bytes of text in unknown members of a message or a delta: some servers have names of their
    /// own for reasoning.
    other_text_bytes: u64,
    /// Number of texts in known members.
    pub texts: usize,
    /// Span of the last of these texts.
    pub last_text: Span,
    /// Span of the last text at the top level in an unknown member: some providers pad events.
    pub padding: Option<Span>,
    /// Content of the first choice, if the caller needs it.
    pub(super) first: Option<Box<FirstChoice>>,
    usage_key: usize,
    /// Choice that is being parsed.
    choice: OpenChoice,
    /// True below a message or a delta.
    in_message: bool,
    /// Kind of the member that is being parsed in a message or delta.
    member: MemberKind,
}

/// Choice that is being parsed.
#[derive(Clone, Copy, Debug, Default)]
struct OpenChoice {
    index: u64,
    is_finished: bool,
    /// True if it has a message or a delta.
    has_message: bool,
    /// Text of a choice of the legacy completions: begin, end and decoded length. Some servers repeat
    /// that of a message there.
    text: Option<(usize, usize, usize)>,
}

/// Content of the first choice.
#[derive(Debug, Default)]
pub(super) struct FirstChoice {
    /// Spans of its texts, without reasoning.
    pub texts: Vec<Span>,
    /// Number of texts before the current part.
    before_part: usize,
    /// True if the current part is not text.
    is_other: bool,
    pub finish_reason: Option<String>,
}

impl AnswerVisitor {
    /// Parses a whole answer, and rejects a document that is none.
    pub(super) fn parse_whole(answer: &[u8]) -> Result<Self, InvalidAnswer> {
        Self::default().parse(answer)
    }

    /// Parses a whole answer with the content of its first choice.
    pub(super) fn parse_with_content(answer: &[u8]) -> Result<Self, InvalidAnswer> {
        Self { first: Some(Box::default()), ..Self::default() }.parse(answer)
    }

    fn parse(mut self, answer: &[u8]) -> Result<Self, InvalidAnswer> {
        scan(answer, &mut self).map_err(|error| InvalidAnswer::NotJson(error.to_string()))?;
        if let Some(error) = &self.error {
            return Err(InvalidAnswer::Reported(error.reported(answer)));
        }
        if self.choices == 0 {
            return Err(InvalidAnswer::NoChoices);
        }
        if self.is_meaningful { Ok(self) } else { Err(InvalidAnswer::Empty) }
    }

    /// Returns the bytes of text that the model wrote. Text in unknown members may repeat that in
    /// known ones, so it counts only if there is no other.
    pub fn output_bytes(&self) -> u64 {
        if self.text_bytes > 0 { self.text_bytes } else { self.other_text_bytes }
    }

    /// Returns whether a choice has a finish reason.
    pub fn is_finished(&self) -> bool {
        !self.finished.is_empty()
    }

    /// Returns the content of the first choice while that choice is being parsed, if the caller
    /// needs it.
    fn first_choice(&mut self) -> Option<&mut FirstChoice> {
        self.first.as_deref_mut().filter(|_| self.choices == 1)
    }

    fn content_text(&mut self, span: &Span, decoded_len: usize) {
        if let Some(choice) = self.first_choice() {
            choice.texts.push(span.clone());
        }
        self.text(span, decoded_len);
    }

    fn begin_part(&mut self) -> Place {
        if let Some(choice) = self.first_choice() {
            choice.before_part = choice.texts.len();
            choice.is_other = false;
        }
        Place::Part
    }

    fn text(&mut self, span: &Span, decoded_len: usize) {
        self.text_bytes += decoded_len as u64;
        self.texts += 1;
        self.last_text = span.clone();
        self.is_meaningful |= !span.is_empty();
    }

    fn place_of(&mut self, container: Container) -> Option<Place> {
        let is_object = container == Container::Object;
        Some(match (self.path.place(), self.path.key(), is_object) {
            (None, _, true) => Place::Root,
            (Some(Place::Root), Key::Choices, false) => {
                self.has_choices = true;
                Place::Choices
            }
            (Some(Place::Root), Key::Usage, true) => {
                self.has_usage = true;
                Place::Usage
            }
            (Some(Place::Root), Key::XGroq, true) => Place::XGroq,
            (Some(Place::XGroq), Key::Usage, true) => Place::Usage,
            (Some(Place::Usage), Key::PromptTokensDetails | Key::InputTokensDetails, true) => {
                Place::InputDetails
            }
            (Some(Place::Usage), Key::CompletionTokensDetails | Key::OutputTokensDetails, true) => {
                Place::OutputDetails
            }
            (Some(Place::Usage), Key::CacheCreation, true) => Place::CacheCreation,
            (Some(Place::Root), Key::Error, true) => {
                self.error.get_or_insert_default();
                Place::Error
            }
            (Some(Place::Choices), _, true) => {
                self.choices += 1;
                self.choice = OpenChoice::default();
                Place::Choice
            }
            (Some(Place::Choice), Key::Message | Key::Delta, true) => {
                self.in_message = true;
                self.choice.has_message = true;
                Place::Message
            }
            (Some(Place::Message), Key::Content, false) => Place::Parts,
            (Some(Place::Parts), _, true) => self.begin_part(),
            (Some(Place::Message), Key::ToolCalls, false) => Place::ToolCalls,
            (Some(Place::ToolCalls), _, true) => Place::ToolCall,
            (Some(Place::ToolCall), Key::Function | Key::Custom, true) => Place::Function,
            (Some(Place::Message), Key::FunctionCall, true) => Place::Function,
            (Some(Place::Message), Key::Audio, true) => Place::Audio,
            _ => return None,
        })
    }

    /// Records a value below a message or a delta, whatever its name: unless it is empty or a
    /// label, the model wrote it.
    fn member(&mut self, value: &Scalar<'_>) {
        self.is_meaningful |= self.member != MemberKind::Label
            && match value {
                Scalar::String(text) => !text.span.is_empty(),
                Scalar::Number(raw) => *raw != b"0",
                Scalar::Bool(is_true) => *is_true,
                Scalar::Null => false,
            };
        if let (Scalar::String(text), MemberKind::Content) = (value, self.member) {
            self.other_text_bytes += text.decoded_len as u64;
        }
    }

    fn error_member(&mut self, key: Key, value: &Scalar<'_>) {
        let error = self.error.get_or_insert_default();
        match (key, value) {
            (Key::Message, Scalar::String(text)) => {
                error.message = text.short().map(String::from).unwrap_or_default();
            }
            (Key::Code | Key::Status, Scalar::Number(raw)) => {
                let status = whole_number(raw).and_then(|code| u16::try_from(code).ok());
                error.status = status.filter(|status| (400..600).contains(status)).or(error.status);
            }
            _ => {}
        }
    }

    fn end_choice(&mut self) {
        if let Some((begin, end, decoded_len)) = self.choice.text.filter(|_| !self.choice.has_message) {
            self.content_text(&(begin..end), decoded_len);
        }
        self.seen.insert(self.choice.index);
        if self.choice.is_finished {
            self.finished.insert(self.choice.index);
        }
    }
}

impl ErrorMember {
    /// Returns the reported error with its cause.
    pub fn reported(&self, answer: &[u8]) -> ReportedError {
        ReportedError { status: self.status, cause: classify_error(self.status.unwrap_or(500), answer) }
    }
}

impl Visitor for AnswerVisitor {
    fn begin(&mut self, container: Container, _: usize) {
        let place = if self.path.is_skipping() { None } else { self.place_of(container) };
        self.path.enter(place);
    }

    fn key(&mut self, text: &JsonText<'_>) {
        if self.in_message {
            self.member = MemberKind::of(text);
        }
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
        if self.in_message {
            self.member(value);
        }
        if self.path.is_skipping() {
            return;
        }
        let Some(place) = self.path.place() else { return };
        match (place, self.path.key(), value) {
            (Place::Message, Key::Content, Scalar::String(text))
            | (Place::Part, Key::Text, Scalar::String(text)) => {
                self.content_text(&text.span, text.decoded_len);
            }
            (Place::Part, Key::Type, Scalar::String(kind)) => {
                if let Some(choice) = self.first_choice() {
                    choice.is_other = !matches!(kind.raw, Some(b"text" | b"output_text"));
                }
            }
            (Place::Message, Key::ReasoningContent | Key::Reasoning, Scalar::String(text))
            | (Place::Message, Key::Refusal, Scalar::String(text))
            | (Place::Function, Key::Name | Key::Arguments | Key::Input, Scalar::String(text))
            | (Place::Audio, Key::Transcript, Scalar::String(text)) => {
                self.text(&text.span, text.decoded_len);
            }
            (Place::Choice, Key::Text, Scalar::String(text)) => {
                self.choice.text = Some((text.span.start, text.span.end, text.decoded_len));
            }
            (Place::Choice, Key::Index, Scalar::Number(raw)) => {
                self.choice.index = whole_number(raw).unwrap_or_default();
            }
            // Some servers write an empty one into every event.
            (Place::Choice, Key::FinishReason, Scalar::String(reason)) if !reason.span.is_empty() => {
                self.choice.is_finished = true;
                self.is_meaningful = true;
                if let Some(choice) = self.first_choice() {
                    choice.finish_reason = reason.short().map(String::from);
                }
            }
            (Place::Root, Key::Other, Scalar::String(text)) => self.padding = Some(text.span.clone()),
            (Place::Root, Key::Usage, _) => self.usage = Some(self.usage_key..span.end),
            (
                Place::Usage | Place::InputDetails | Place::OutputDetails | Place::CacheCreation,
                key,
                Scalar::Number(raw),
            ) => {
                if let Some(member) = key.usage_member(place) {
                    self.count.record(member, raw);
                }
            }
            (Place::Root, Key::Error, Scalar::String(text)) if !text.span.is_empty() => {
                let message = text.short().map(String::from).unwrap_or_default();
                self.error.get_or_insert_default().message = message;
            }
            (Place::Error, key, value) => self.error_member(key, value),
            _ => {}
        }
    }

    fn end(&mut self, at: usize) {
        match self.path.leave() {
            Some(Place::Part) => {
                if let Some(choice) = self.first_choice()
                    && choice.is_other
                {
                    choice.texts.truncate(choice.before_part);
                }
            }
            Some(Place::Message) => self.in_message = false,
            Some(Place::Choice) => self.end_choice(),
            Some(Place::Usage) if matches!(self.path.place(), Some(Place::Root)) => {
                self.usage = Some(self.usage_key..at);
            }
            _ => {}
        }
    }
}
