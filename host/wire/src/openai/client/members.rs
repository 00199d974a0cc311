//! Members of a request: their meaning and their types.

mod conversation;
mod place;
mod replaceable;

use std::sync::Arc;

use pointsman_domain::model::Abilities;

use self::conversation::ConversationIndexer;
use self::place::{Key, Place};
pub(in crate::openai) use self::replaceable::ReplaceableMembers;
use super::bad_request::BadRequest;
use super::request::{ChatRequest, StreamOptions};
use crate::body::Body;
use crate::json::{Container, JsonText, Path, Scalar, Span, Visitor, whole_number};

/// Visitor that collects the facts of a request.
#[derive(Debug, Default)]
pub(super) struct RequestVisitor {
    path: Path<Place, Key>,
    error: Option<BadRequest>,
    model: Option<(String, Span)>,
    streaming: bool,
    stream_options: StreamOptions,
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
    answers: Option<u32>,
    needs: Abilities,
    /// True if messages call tools or hold their results.
    has_tool_turns: bool,
    has_messages: bool,
    conversation: ConversationIndexer,
    replaceable: ReplaceableMembers,
    /// Start of the current object or array at the top level.
    root_value_start: usize,
}

impl RequestVisitor {
    pub fn take_error(&mut self) -> Result<(), BadRequest> {
        self.error.take().map_or(Ok(()), Err)
    }

    pub fn into_request(self, body: Arc<Body>) -> Result<ChatRequest, BadRequest> {
        let (model, model_span) = self.model.ok_or_else(|| BadRequest::missing("model".to_owned()))?;
        if !self.has_messages {
            return Err(BadRequest::missing("messages".to_owned()));
        }
        // Tools may be left out of the last turn of a loop, to get an answer in words.
        let tool_turns = if self.has_tool_turns { Abilities::TOOLS } else { Abilities::empty() };
        Ok(ChatRequest {
            model,
            streaming: self.streaming,
            wants_usage: self.stream_options == StreamOptions::UsageOn,
            max_output_tokens: self.max_completion_tokens.or(self.max_tokens),
            answers: self.answers.unwrap_or(1),
            inputs: self.conversation.inputs,
            needs: self.needs | tool_turns,
            negotiable_needs: tool_turns - self.needs,
            input_tokens: self.conversation.input_tokens(),
            least_input_tokens: self.conversation.least_input_tokens(),
            turns: self.conversation.turns,
            body,
            index: Arc::new(self.conversation.index),
            model_span,
            stream_options: self.stream_options,
            replaceable: self.replaceable,
        })
    }

    /// Returns the path of a member as OpenAI writes it: `messages[2].role`.
    fn param(&self, key: &str) -> String {
        let message = self.conversation.messages();
        let part = self.conversation.parts();
        match self.path.place() {
            None | Some(Place::Root) => key.to_owned(),
            Some(Place::StreamOptions) => format!("stream_options.{key}"),
            Some(Place::ResponseFormat) => format!("response_format.{key}"),
            Some(Place::Messages) => format!("messages[{message}]"),
            Some(Place::Message) => format!("messages[{message}].{key}"),
            Some(Place::Parts) => format!("messages[{message}].content[{part}]"),
            Some(Place::Part | Place::Media) => format!("messages[{message}].content[{part}].{key}"),
            Some(Place::Tools | Place::Tool) => format!("tools[].{key}"),
            Some(Place::Functions | Place::Function) => format!("tools[].function.{key}"),
        }
    }

    fn record_error(&mut self, error: BadRequest) {
        self.error.get_or_insert(error);
    }

    fn wrong_type(&mut self, expected: &str, got: &str, at: usize) {
        let param = self.param(self.path.key().name());
        self.record_error(BadRequest::wrong_type(param, expected, got, at));
    }

    /// Returns the place of an object or array that begins; `None` if nothing in it is read.
    fn place_of(&mut self, container: Container, at: usize) -> Option<Place> {
        let is_object = container == Container::Object;
        let (here, key) = (self.path.place(), self.path.key());
        match (here, key, container) {
            (None, _, Container::Object) => return Some(Place::Root),
            (None, _, Container::Array) => self.record_error(BadRequest::not_an_object(at)),
            (Some(Place::Root), Key::StreamOptions, Container::Object) => {
                self.stream_options = StreamOptions::WithoutUsage { members: at + 1, is_empty: true };
                return Some(Place::StreamOptions);
            }
            (Some(Place::Root), Key::ResponseFormat, Container::Object) => {
                return Some(Place::ResponseFormat);
            }
            (Some(Place::Root), Key::Messages, Container::Array) => return Some(Place::Messages),
            (Some(Place::Root), Key::Tools, Container::Array) => return Some(Place::Tools),
            (Some(Place::Root), Key::Functions, Container::Array) => return Some(Place::Functions),
            (Some(Place::Messages), _, Container::Object) => return Some(Place::Message),
            (Some(Place::Message), Key::Content, Container::Array) => return Some(Place::Parts),
            (Some(Place::Parts), _, Container::Object) => return Some(Place::Part),
            (Some(Place::Part), key, Container::Object) if key.is_media() => {
                self.conversation.media(key);
                return Some(Place::Media);
            }
            (Some(Place::Tools), _, Container::Object) => return self.offered(Place::Tool),
            (Some(Place::Functions), _, Container::Object) => return self.offered(Place::Function),
            (Some(Place::Tool), Key::Function | Key::Custom, Container::Object) => {
                return Some(Place::Function);
            }
            (Some(place), key, _) => {
                if let Some(expected) = expected(place, key) {
                    self.wrong_type(expected, if is_object { "an object" } else { "an array" }, at);
                }
            }
        }
        None
    }

    fn offered(&mut self, place: Place) -> Option<Place> {
        self.needs |= Abilities::TOOLS;
        Some(place)
    }

    fn root_member(&mut self, key: Key, value: &Scalar<'_>, span: Span) {
        match (key, value) {
            (Key::Model, Scalar::String(text)) => self.model(text, span),
            (Key::Stream, Scalar::Bool(on)) => {
                self.streaming = *on;
                self.needs.set(Abilities::STREAMING, *on);
            }
            (Key::StreamOptions, Scalar::Null) => self.stream_options = StreamOptions::Null(span),
            (Key::MaxTokens, Scalar::Number(raw)) => self.max_tokens = self.limit(raw, span.start),
            (Key::MaxCompletionTokens, Scalar::Number(raw)) => {
                self.max_completion_tokens = self.limit(raw, span.start);
            }
            (Key::N, Scalar::Number(raw)) => match self.integer(raw, span.start) {
                Some(n @ ..1) => {
                    self.record_error(BadRequest::below_minimum("n".to_owned(), 1, n, span.start))
                }
                n => self.answers = n.map(saturated),
            },
            (Key::ReasoningEffort, Scalar::String(effort)) => {
                let needed = !matches!(effort.raw, Some(b"none" | b"minimal"));
                self.needs.set(Abilities::REASONING, needed);
            }
            (Key::Logprobs, Scalar::Bool(on)) => self.needs.set(Abilities::LOG_PROBABILITIES, *on),
            (Key::Model | Key::Messages, Scalar::Null) => self.mistyped(key, value, span.start),
            (_, Scalar::Null) => {}
            _ => self.mistyped(key, value, span.start),
        }
    }

    fn model(&mut self, text: &JsonText<'_>, span: Span) {
        match text.short() {
            Some(name) if !name.is_empty() => self.model = Some((name.into_owned(), span)),
            _ => self.record_error(BadRequest::bad_length("model".to_owned(), "1 to 512 bytes", span.start)),
        }
    }

    fn mistyped(&mut self, key: Key, value: &Scalar<'_>, at: usize) {
        let got = match value {
            Scalar::String(_) => "a string",
            Scalar::Number(_) => "a number",
            Scalar::Bool(_) => "a boolean",
            Scalar::Null => "null",
        };
        if let Some(expected) = self.path.place().and_then(|place| expected(place, key)) {
            self.wrong_type(expected, got, at);
        }
    }

    /// Parses a limit of tokens; a negative one is none.
    fn limit(&mut self, raw: &[u8], at: usize) -> Option<u32> {
        self.integer(raw, at).filter(|limit| *limit >= 0).map(saturated)
    }

    fn integer(&mut self, raw: &[u8], at: usize) -> Option<i64> {
        let (is_negative, digits) = raw.strip_prefix(b"-").map_or((false, raw), |digits| (true, digits));
        let integer = whole_number(digits).and_then(|integer| i64::try_from(integer).ok());
        let integer = if is_negative { integer.map(|integer| -integer) } else { integer };
        if integer.is_none() {
            self.wrong_type("an integer", "a number that is none", at);
        }
        integer
    }

    fn end_message(&mut self, at: usize) {
        if !self.conversation.end_message(at) {
            let param = format!("messages[{}].role", self.conversation.messages());
            self.record_error(BadRequest::missing(param));
        }
    }

    /// Counts a text below a known place in an unknown member.
    fn nested_text(&mut self, text: &JsonText<'_>) {
        let counts = matches!(
            self.path.place(),
            Some(Place::Message | Place::Tool | Place::Function | Place::ResponseFormat)
        );
        if counts {
            self.conversation.structured(text);
        }
    }

    fn message_text(&mut self, place: Place, key: Key, text: &JsonText<'_>) {
        match (place, key) {
            (Place::Message, Key::Role) => {
                self.has_tool_turns |= matches!(text.raw, Some(b"tool" | b"function"));
                self.conversation.role(text);
            }
            (Place::Part, Key::Type) => self.conversation.part_type(text),
            (Place::Part, Key::Text | Key::Refusal) => self.conversation.part_text(text),
            (Place::Part, key) if key.is_media() => {
                self.conversation.media(key);
                self.conversation.url(text);
            }
            (Place::Media, Key::Url) => self.conversation.url(text),
            (Place::Media, Key::Data | Key::FileData) => self.conversation.inline(text),
            (Place::Media, Key::Format) => self.conversation.format(text),
            (Place::Media, Key::Detail) => self.conversation.detail(text),
            (Place::Function, Key::Name) => {
                self.conversation.tool(text);
                self.conversation.structured(text);
            }
            (Place::ResponseFormat, Key::Type) if text.raw == Some(b"json_schema") => {
                self.needs |= Abilities::STRUCTURED_OUTPUT;
            }
            _ => self.nested_text(text),
        }
    }
}

/// Returns the type that a member must have; `None` if the backend is to judge.
fn expected(place: Place, key: Key) -> Option<&'static str> {
    Some(match (place, key) {
        (Place::Root, Key::Model | Key::ReasoningEffort) | (Place::Message, Key::Role) => "a string",
        (Place::Root, Key::Stream | Key::Logprobs) | (Place::StreamOptions, Key::IncludeUsage) => "a boolean",
        (Place::Root, Key::StreamOptions | Key::ResponseFormat) | (Place::Messages, _) => "an object",
        (Place::Root, Key::MaxTokens | Key::MaxCompletionTokens | Key::N) => "an integer",
        (Place::Root, Key::Messages | Key::Tools | Key::Functions) => "an array of objects",
        (Place::Message, Key::Content) => "a string or an array of objects",
        _ => return None,
    })
}

/// Converts a count that is not negative, and saturates.
fn saturated(count: i64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Visitor for RequestVisitor {
    fn begin(&mut self, container: Container, at: usize) {
        let (place, key) = (self.path.place(), self.path.key());
        if self.path.is_skipping() {
            // An array without elements calls nothing.
            self.has_tool_turns |= place == Some(Place::Message) && key == Key::ToolCalls;
            return self.path.enter(None);
        }
        match (place, key) {
            (Some(Place::Root), _) => self.root_value_start = at,
            (Some(Place::Messages), _) => self.conversation.begin_message(at),
            (Some(Place::Message), Key::Content) => self.conversation.begin_content(at),
            (Some(Place::Message), Key::ToolCalls) => self.conversation.calls_tools(),
            (Some(Place::Message), Key::FunctionCall) => {
                self.conversation.calls_tools();
                self.has_tool_turns = true;
            }
            (Some(Place::Parts), _) => self.conversation.begin_part(at),
            _ => {}
        }
        let place = self.place_of(container, at);
        self.path.enter(place);
    }

    fn key(&mut self, key: &JsonText<'_>) {
        if self.path.is_skipping() {
            return self.nested_text(key);
        }
        let known = Key::of(key);
        if !self.path.set_key(known, known as u32) && known != Key::Other {
            let param = self.param(known.name());
            self.record_error(BadRequest::duplicate(param, key.span.start - 1));
        }
        match self.path.place() {
            Some(Place::StreamOptions) => {
                if let StreamOptions::WithoutUsage { is_empty, .. } = &mut self.stream_options {
                    *is_empty = false;
                }
            }
            Some(Place::Tool | Place::Function) => self.conversation.structured(key),
            _ => {}
        }
    }

    fn scalar(&mut self, value: &Scalar<'_>, span: Span) {
        if self.path.is_skipping() {
            if let Scalar::String(text) = value {
                self.nested_text(text);
            }
            return;
        }
        let key = self.path.key();
        match (self.path.place(), value) {
            (None, _) => self.record_error(BadRequest::not_an_object(span.start)),
            (Some(Place::Root), _) if key != Key::Other => {
                self.replaceable.record(key, span.clone());
                self.root_member(key, value, span);
            }
            (Some(Place::Root), _) => {}
            (Some(Place::StreamOptions), Scalar::Bool(true)) if key == Key::IncludeUsage => {
                self.stream_options = StreamOptions::UsageOn;
            }
            (Some(Place::StreamOptions), Scalar::Bool(false) | Scalar::Null) if key == Key::IncludeUsage => {
                self.stream_options = StreamOptions::UsageOff(span);
            }
            (Some(Place::Message), Scalar::Null) if key == Key::Content => self.conversation.no_content(span),
            (Some(Place::Message), Scalar::String(text)) if key == Key::Content => {
                self.conversation.text_content(text, span);
            }
            (Some(Place::Parts), _) => self.conversation.scalar_part(value, span),
            (Some(place), Scalar::String(text)) if !expects_no_string(place) => {
                self.message_text(place, key, text);
            }
            (Some(_), _) => self.mistyped(key, value, span.start),
        }
    }

    fn end(&mut self, at: usize) {
        let left = self.path.leave();
        if self.path.is_skipping() {
            return;
        }
        match self.path.place() {
            Some(Place::Root) => self.replaceable.record(self.path.key(), self.root_value_start..at),
            Some(Place::Parts) => self.conversation.end_part(at),
            _ => {}
        }
        match left {
            Some(Place::Parts) => self.conversation.end_content(at),
            Some(Place::Message) => self.end_message(at),
            Some(Place::Messages) => {
                self.has_messages = true;
                if self.conversation.messages() == 0 {
                    self.record_error(BadRequest::empty_array("messages".to_owned(), at - 1));
                }
            }
            _ => {}
        }
    }
}

fn expects_no_string(place: Place) -> bool {
    matches!(place, Place::StreamOptions | Place::Messages)
}
