//! Rendering of content blocks.

use std::borrow::Cow;

use serde::Serialize;

pub(in crate::anthropic) use super::source::Source;
use crate::anthropic::cache::CacheControl;
use crate::form::{RawJson, ToolDefinition, ToolInput};

/// Content block of a message or an answer.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::anthropic) enum Block<'a> {
    Text {
        text: Cow<'a, str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        citations: Vec<RawJson>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    Image {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    Document {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        context: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        citations: Option<CitationsConfig>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    SearchResult {
        source: &'a str,
        title: &'a str,
        content: Vec<Block<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        citations: Option<CitationsConfig>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    Thinking {
        thinking: &'a str,
        signature: Cow<'a, str>,
    },
    RedactedThinking {
        data: Cow<'a, str>,
    },
    ToolUse {
        id: Cow<'a, str>,
        name: &'a str,
        input: InputObject<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    ToolResult {
        tool_use_id: Cow<'a, str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        content: Vec<Block<'a>>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    /// Block as its provider or the client wrote it.
    #[serde(untagged)]
    Original(&'a RawJson),
}

/// Setting that makes the answer cite a document.
#[derive(Clone, Copy, Debug, Serialize)]
pub(in crate::anthropic) struct CitationsConfig {
    enabled: bool,
}

impl CitationsConfig {
    /// Returns the configuration for a document that is to be cited; `None` for another.
    pub fn of(with_citations: bool) -> Option<Self> {
        with_citations.then_some(Self { enabled: true })
    }
}

impl<'a> Block<'a> {
    /// Returns a text that cites nothing.
    pub fn text(text: &'a str) -> Self {
        Self::Text { text: text.into(), citations: Vec::new(), cache_control: None }
    }

    /// Returns the text of a block that is nothing else.
    pub fn as_plain_text(&self) -> Option<&str> {
        match self {
            Self::Text { text, citations, cache_control: None } if citations.is_empty() => Some(text),
            _ => None,
        }
    }
}

/// Input of a call, which has to be an object.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(in crate::anthropic) enum InputObject<'a> {
    /// Arguments that are an object.
    Object(RawJson),
    /// Other arguments, in an object of their own: a model that continues the conversation sees
    /// what was called.
    Other {
        /// Arguments.
        arguments: &'a str,
    },
    /// No arguments.
    Empty {},
}

impl<'a> InputObject<'a> {
    /// Returns the input for the arguments of a call.
    pub fn of(input: &'a ToolInput) -> Self {
        match input {
            ToolInput::Json(json) if json.trim().is_empty() => Self::Empty {},
            ToolInput::Json(json) => Self::of_json(json),
            ToolInput::Text(text) => Self::of_json_or_empty(&ToolDefinition::arguments_of_text(text)),
        }
    }

    fn of_json(json: &'a str) -> Self {
        let object = RawJson::parse(json).filter(|json| json.get().starts_with('{'));
        object.map_or(Self::Other { arguments: json }, Self::Object)
    }

    fn of_json_or_empty(json: &str) -> Self {
        RawJson::parse(json).map_or(Self::Empty {}, Self::Object)
    }
}
