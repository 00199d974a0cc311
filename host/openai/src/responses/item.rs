//! Items of the output.

use std::borrow::Cow;

use serde::Serialize;

use super::offered_tools::{CallKind, OfferedTool, OfferedTools};
use crate::form::{RawJson, ToolDefinition};

/// State of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ItemStatus {
    InProgress,
    Completed,
    Incomplete,
}

impl ItemStatus {
    /// Returns the state of the last item of a response that has ended.
    pub const fn at_end(is_incomplete: bool) -> Self {
        if is_incomplete { Self::Incomplete } else { Self::Completed }
    }
}

/// Item of the output. Members that are absent in some items are `None`.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum OutputItem<'a> {
    Message {
        id: &'a str,
        status: ItemStatus,
        role: &'static str,
        content: &'a [RawJson],
    },
    Reasoning {
        id: &'a str,
        summary: &'a [ContentPart<'a>],
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        content: &'a [ContentPart<'a>],
        #[serde(skip_serializing_if = "Option::is_none")]
        encrypted_content: Option<&'a str>,
    },
    FunctionCall {
        id: &'a str,
        status: ItemStatus,
        call_id: &'a str,
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<&'a str>,
        arguments: &'a str,
    },
    CustomToolCall {
        id: &'a str,
        status: ItemStatus,
        call_id: &'a str,
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<&'a str>,
        input: &'a str,
    },
    ToolSearchCall {
        id: &'a str,
        status: ItemStatus,
        call_id: &'a str,
        execution: &'static str,
        arguments: SearchArguments<'a>,
    },
    ImageGenerationCall {
        id: &'a str,
        status: ItemStatus,
        result: &'a str,
        output_format: &'a str,
    },
}

/// Arguments of a search for tools: JSON, or what the model wrote in its place.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum SearchArguments<'a> {
    Json(RawJson),
    Text(&'a str),
}

/// Part of a message or of reasoning.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ContentPart<'a> {
    OutputText { annotations: &'a [RawJson], logprobs: [(); 0], text: &'a str },
    Refusal { refusal: &'a str },
    SummaryText { text: &'a str },
    ReasoningText { text: &'a str },
}

impl<'a> ContentPart<'a> {
    /// Returns a text with annotations.
    pub const fn text(text: &'a str, annotations: &'a [RawJson]) -> Self {
        Self::OutputText { annotations, logprobs: [], text }
    }
}

/// Call of a tool whose kind depends on the tool that the client offered.
#[derive(Debug)]
pub(super) struct Call {
    tool: OfferedTool,
    /// Id of the item.
    pub item_id: String,
    /// Id of the call.
    id: String,
    /// Input so far.
    pub input: String,
    /// True if the provider's tool takes text.
    takes_text: bool,
}

impl Call {
    /// Returns a call that has no input yet. `suffix` distinguishes the item in all responses.
    pub fn new(id: String, name: &str, takes_text: bool, offered: &OfferedTools, suffix: &str) -> Self {
        let mut tool = offered.find(name);
        if takes_text && tool.kind == CallKind::Function {
            tool.kind = CallKind::Custom;
        }
        let prefix = match tool.kind {
            CallKind::Function => "fc",
            CallKind::Custom => "ctc",
            CallKind::Search => "tsc",
        };
        Self { tool, item_id: format!("{prefix}_{suffix}"), id, input: String::new(), takes_text }
    }

    pub const fn kind(&self) -> CallKind {
        self.tool.kind
    }

    pub fn name(&self) -> &str {
        &self.tool.name
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns whether the input of the item is the input that arrives, so that it can be streamed.
    pub fn is_streamed(&self) -> bool {
        match self.tool.kind {
            CallKind::Function => true,
            CallKind::Custom => self.takes_text,
            CallKind::Search => false,
        }
    }

    /// Returns the whole input as the item has it.
    pub fn whole_input(&self) -> Cow<'_, str> {
        match self.tool.kind {
            CallKind::Custom if !self.takes_text => ToolDefinition::text_of_arguments(&self.input),
            CallKind::Custom => Cow::Borrowed(&self.input),
            CallKind::Function | CallKind::Search if self.input.is_empty() => Cow::Borrowed("{}"),
            CallKind::Function | CallKind::Search => Cow::Borrowed(&self.input),
        }
    }

    /// Returns the item with this input.
    pub fn item<'a>(&'a self, input: &'a str, status: ItemStatus) -> OutputItem<'a> {
        let (id, call_id, name) = (&*self.item_id, &*self.id, &*self.tool.name);
        let namespace = self.tool.namespace.as_deref();
        match self.tool.kind {
            CallKind::Function => {
                OutputItem::FunctionCall { id, status, call_id, name, namespace, arguments: input }
            }
            CallKind::Custom => OutputItem::CustomToolCall { id, status, call_id, name, namespace, input },
            CallKind::Search => {
                let json = RawJson::parse(input).map(SearchArguments::Json);
                let arguments = json.unwrap_or(SearchArguments::Text(input));
                OutputItem::ToolSearchCall { id, status, call_id, execution: "client", arguments }
            }
        }
    }
}
