//! Parts as requests contain them.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::media::Media;
use crate::form::{RawJson, ToolCall, ToolDefinition, ToolInput};

/// Part of a content.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum RequestPart<'a> {
    /// Text, reasoning, media, a call or a result.
    Known(KnownPart<'a>),
    /// Part as a client of the same family wrote it.
    AsWritten(&'a RawJson),
}

/// Part with its attributes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KnownPart<'a> {
    #[serde(flatten)]
    data: PartData<'a>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    thought: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    thought_signature: Option<&'a str>,
}

/// Content of a part.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum PartData<'a> {
    Text(Cow<'a, str>),
    FunctionCall(FunctionCall<'a>),
    FunctionResponse(FunctionResponse<'a>),
    #[serde(untagged)]
    Media(Media<'a>),
}

/// Call of a function.
#[derive(Debug, Serialize)]
pub(super) struct FunctionCall<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    name: &'a str,
    args: JsonObject<'a>,
}

/// Result of a function.
#[derive(Debug, Serialize)]
pub(super) struct FunctionResponse<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) response: JsonObject<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<Media<'a>>,
}

/// JSON object: arguments or a result.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum JsonObject<'a> {
    /// As the model or the client wrote it.
    Written(&'a RawValue),
    /// As above, from a text that is put together.
    Assembled(Box<RawValue>),
    /// Output of a function that is not an object.
    Result { result: Cow<'a, str> },
    /// Error of a function.
    Error { error: Cow<'a, str> },
    /// Error of a function that is an object.
    ErrorObject { error: Box<RawValue> },
    /// Arguments that are not an object.
    Input { input: &'a str },
    /// No member.
    Empty {},
}

impl<'a> JsonObject<'a> {
    /// Returns the arguments of a call.
    fn of_input(input: &'a ToolInput) -> Self {
        match input {
            ToolInput::Json(text) if text.trim().is_empty() => Self::Empty {},
            ToolInput::Json(text) => object(text).map_or(Self::Input { input: text }, Self::Written),
            ToolInput::Text(text) => RawValue::from_string(ToolDefinition::arguments_of_text(text))
                .map_or(Self::Input { input: text }, Self::Assembled),
        }
    }

    /// Returns the result of a function from its text. A text that is a JSON object is the result
    /// itself.
    pub(super) fn of_result(text: Cow<'a, str>, is_error: bool) -> Self {
        match (text, is_error) {
            (Cow::Borrowed(text), false) => {
                object(text).map_or(Self::Result { result: text.into() }, Self::Written)
            }
            (text, false) => match object(&text).map(ToOwned::to_owned) {
                Some(object) => Self::Assembled(object),
                None => Self::Result { result: text },
            },
            (text, true) => match object(&text).map(ToOwned::to_owned) {
                Some(error) => Self::ErrorObject { error },
                None => Self::Error { error: text },
            },
        }
    }
}

/// Returns a text that is a JSON object.
fn object(text: &str) -> Option<&RawValue> {
    let text = text.trim();
    if text.starts_with('{') { serde_json::from_str(text).ok() } else { None }
}

impl<'a> RequestPart<'a> {
    /// Returns a part without attributes.
    pub(super) const fn new(data: PartData<'a>) -> Self {
        Self::signed(data, None)
    }

    /// Returns a part with a signature.
    pub(super) const fn signed(data: PartData<'a>, thought_signature: Option<&'a str>) -> Self {
        Self::Known(KnownPart { data, thought: false, thought_signature })
    }

    /// Returns a part of reasoning.
    pub(super) fn thought(text: &'a str, thought_signature: Option<&'a str>) -> Self {
        Self::Known(KnownPart { data: PartData::Text(text.into()), thought: true, thought_signature })
    }

    /// Returns a call.
    pub(super) fn call(call: &'a ToolCall, thought_signature: Option<&'a str>) -> Self {
        let args = JsonObject::of_input(&call.input);
        let data = PartData::FunctionCall(FunctionCall { id: &call.id, name: &call.name, args });
        Self::signed(data, thought_signature)
    }

    /// Returns the signature of a part that is a call.
    pub(super) const fn call_signature_mut(&mut self) -> Option<&mut Option<&'a str>> {
        match self {
            Self::Known(KnownPart { data: PartData::FunctionCall(_), thought_signature, .. }) => {
                Some(thought_signature)
            }
            _ => None,
        }
    }

    /// Returns whether the part is the result of a function.
    pub(super) const fn is_result(&self) -> bool {
        matches!(self, Self::Known(KnownPart { data: PartData::FunctionResponse(_), .. }))
    }
}
