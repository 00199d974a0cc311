//! The response object.

use pointsman_domain::usage::Usage;
use serde::Serialize;

use super::echoed::EchoedMembers;
use crate::form::{AnswerIdentity, RawJson, StopReason};

/// State of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ResponseStatus {
    InProgress,
    Completed,
    Incomplete,
    Failed,
}

/// Identity of a response.
#[derive(Clone, Debug)]
pub(super) struct ResponseIdentity {
    /// Id: `resp_…`.
    pub id: String,
    /// Time of creation in seconds since 1970.
    pub created: u64,
    /// Name of the model.
    pub model: String,
}

/// Response object: the members of the API, in its order.
#[derive(Debug, Serialize)]
pub(super) struct Response<'a> {
    id: &'a str,
    object: &'static str,
    created_at: u64,
    status: ResponseStatus,
    background: bool,
    error: Option<ResponseError<'a>>,
    incomplete_details: Option<IncompleteDetails>,
    instructions: Option<&'a RawJson>,
    max_output_tokens: Option<&'a RawJson>,
    max_tool_calls: Option<&'a RawJson>,
    model: &'a str,
    output: &'a [RawJson],
    parallel_tool_calls: OrDefault<'a, bool>,
    previous_response_id: Option<&'a str>,
    prompt_cache_key: Option<&'a RawJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_retention: Option<&'a RawJson>,
    reasoning: OrDefault<'a, DefaultReasoning>,
    safety_identifier: Option<&'a RawJson>,
    service_tier: &'static str,
    store: bool,
    temperature: Option<&'a RawJson>,
    text: TextConfiguration<'a>,
    tool_choice: OrDefault<'a, &'static str>,
    tools: OrDefault<'a, [(); 0]>,
    top_logprobs: u32,
    top_p: Option<&'a RawJson>,
    truncation: OrDefault<'a, &'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<ResponseUsage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a RawJson>,
    metadata: OrDefault<'a, EmptyObject>,
}

/// Value of the client, or the API's default.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum OrDefault<'a, T> {
    Stated(&'a RawJson),
    Default(T),
}

#[derive(Debug, Serialize)]
struct EmptyObject {}

#[derive(Debug, Default, Serialize)]
struct DefaultReasoning {
    effort: Option<&'static str>,
    summary: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct TextConfiguration<'a> {
    format: OrDefault<'a, TextFormat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<&'a RawJson>,
}

#[derive(Debug, Serialize)]
struct TextFormat {
    #[serde(rename = "type")]
    kind: &'static str,
}

/// Error of a response.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct ResponseError<'a> {
    pub code: &'a str,
    pub message: &'a str,
}

/// Reason why a response is incomplete.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct IncompleteDetails {
    pub reason: &'static str,
}

#[derive(Debug, Serialize)]
struct ResponseUsage {
    input_tokens: u64,
    input_tokens_details: InputDetails,
    output_tokens: u64,
    output_tokens_details: OutputDetails,
    total_tokens: u64,
}

#[derive(Debug, Serialize)]
struct InputDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Debug, Serialize)]
struct OutputDetails {
    reasoning_tokens: u64,
}

impl From<Usage> for ResponseUsage {
    fn from(usage: Usage) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            input_tokens_details: InputDetails {
                cached_tokens: usage.cached_input_tokens,
                cache_write_tokens: usage.cache_write_tokens,
            },
            output_tokens: usage.output_tokens,
            output_tokens_details: OutputDetails { reasoning_tokens: usage.reasoning_tokens },
            total_tokens: usage.input_tokens.saturating_add(usage.output_tokens),
        }
    }
}

impl ResponseIdentity {
    /// Returns the identity of a response, whose model and time the provider may have stated.
    pub fn new(identity: &AnswerIdentity, model: &str, created: Option<u64>) -> Self {
        let model = if model.is_empty() { &identity.model } else { model };
        Self {
            id: format!("resp_{}", identity.id),
            created: created.unwrap_or(identity.created),
            model: model.to_owned(),
        }
    }
}

impl<'a> Response<'a> {
    /// Returns a response that is in progress, without output.
    pub fn new(identity: &'a ResponseIdentity, echoed: &'a EchoedMembers) -> Self {
        Self {
            id: &identity.id,
            object: "response",
            created_at: identity.created,
            status: ResponseStatus::InProgress,
            background: false,
            error: None,
            incomplete_details: None,
            instructions: echoed.instructions.as_ref(),
            max_output_tokens: echoed.max_output_tokens.as_ref(),
            max_tool_calls: echoed.max_tool_calls.as_ref(),
            model: &identity.model,
            output: &[],
            parallel_tool_calls: or_default(&echoed.parallel_tool_calls, true),
            previous_response_id: None,
            prompt_cache_key: echoed.prompt_cache_key.as_ref(),
            prompt_cache_retention: echoed.prompt_cache_retention.as_ref(),
            reasoning: or_default(&echoed.reasoning, DefaultReasoning::default()),
            safety_identifier: echoed.safety_identifier.as_ref(),
            service_tier: "default",
            store: false,
            temperature: echoed.temperature.as_ref(),
            text: TextConfiguration {
                format: or_default(&echoed.text_format, TextFormat { kind: "text" }),
                verbosity: echoed.verbosity.as_ref(),
            },
            tool_choice: or_default(&echoed.tool_choice, "auto"),
            tools: or_default(&echoed.tools, []),
            top_logprobs: 0,
            top_p: echoed.top_p.as_ref(),
            truncation: or_default(&echoed.truncation, "disabled"),
            usage: None,
            user: echoed.user.as_ref(),
            metadata: or_default(&echoed.metadata, EmptyObject {}),
        }
    }

    /// Sets the output.
    #[must_use]
    pub fn with_output(self, output: &'a [RawJson]) -> Self {
        Self { output, ..self }
    }

    /// Ends the response.
    #[must_use]
    pub fn ended(self, incomplete_details: Option<IncompleteDetails>, usage: Usage) -> Self {
        let status = match incomplete_details {
            None => ResponseStatus::Completed,
            Some(_) => ResponseStatus::Incomplete,
        };
        Self { status, incomplete_details, usage: Some(usage.into()), ..self }
    }

    /// Ends the response with an error.
    #[must_use]
    pub fn failed(self, error: ResponseError<'a>) -> Self {
        Self { status: ResponseStatus::Failed, error: Some(error), ..self }
    }
}

impl IncompleteDetails {
    /// Returns the reason why a response is incomplete; `None` if it is complete. A refusal is
    /// complete if the model `has_refusal` in its output: a filter stopped it otherwise.
    pub const fn of(stop: &StopReason, has_refusal: bool) -> Option<Self> {
        match stop {
            StopReason::MaxTokens | StopReason::ContextWindow => Some(Self { reason: "max_output_tokens" }),
            StopReason::ContentFilter => Some(Self { reason: "content_filter" }),
            StopReason::Refusal if !has_refusal => Some(Self { reason: "content_filter" }),
            StopReason::Refusal
            | StopReason::Complete
            | StopReason::StopSequence(_)
            | StopReason::ToolCalls
            | StopReason::Pause
            | StopReason::Other(_) => None,
        }
    }
}

fn or_default<T>(stated: &Option<RawJson>, default: T) -> OrDefault<'_, T> {
    stated.as_ref().map_or(OrDefault::Default(default), OrDefault::Stated)
}
