//! Calls of tools as they are written.

use std::borrow::Cow;

use serde::Serialize;

use super::reasoning_details::ExtraContent;
use crate::form::{ToolCall, ToolDefinition, ToolInput};

/// Element of `tool_calls`.
#[derive(Debug, Serialize)]
pub(super) struct ToolCallBody<'a> {
    id: &'a str,
    #[serde(flatten)]
    kind: CallKind<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_content: Option<ExtraContent>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum CallKind<'a> {
    Function { function: FunctionCall<'a> },
    Custom { custom: CustomCall<'a> },
}

#[derive(Debug, Serialize)]
struct FunctionCall<'a> {
    name: &'a str,
    arguments: Cow<'a, str>,
}

#[derive(Debug, Serialize)]
struct CustomCall<'a> {
    name: &'a str,
    input: &'a str,
}

/// Arguments of a call without any: servers parse them as JSON.
const NO_ARGUMENTS: &str = "{}";

impl<'a> ToolCallBody<'a> {
    /// Returns a call. Without `custom_tools`, a text is an argument in an object.
    pub fn of(call: &'a ToolCall, custom_tools: bool, extra_content: Option<ExtraContent>) -> Self {
        let name = &*call.name;
        let kind = match &call.input {
            ToolInput::Json(arguments) => {
                let arguments = if arguments.is_empty() { NO_ARGUMENTS } else { arguments };
                CallKind::Function { function: FunctionCall { name, arguments: arguments.into() } }
            }
            ToolInput::Text(input) if !custom_tools => {
                let arguments = ToolDefinition::arguments_of_text(input).into();
                CallKind::Function { function: FunctionCall { name, arguments } }
            }
            ToolInput::Text(input) => CallKind::Custom { custom: CustomCall { name, input } },
        };
        Self { id: &call.id, kind, extra_content }
    }
}
