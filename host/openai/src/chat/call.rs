//! Rendering of calls.

mod content;
mod messages;
mod tools;

use bytes::Bytes;
use serde::ser::{Serialize, SerializeMap, Serializer};

use self::messages::MessageBody;
use self::tools::{ToolBody, ToolChoiceBody};
use super::quirks::ChatQuirks;
use crate::form::{
    ConversationRequest, Losses, OutputFormat, RawJson, ReasoningEffort, ReasoningRequest, SignatureOrigin,
};

/// Renders a call of a provider that is not known. See [`render_request_for`].
pub fn render_request(request: &ConversationRequest, losses: &mut Losses) -> Bytes {
    render_request_for(request, &ChatQuirks::UNKNOWN, losses)
}

/// Renders a call of a provider with these quirks. The losses are what chat completions cannot
/// express, or this provider rejects.
pub fn render_request_for(request: &ConversationRequest, quirks: &ChatQuirks, losses: &mut Losses) -> Bytes {
    let messages = messages::render(request, quirks, losses);
    let (tools, tool_choice) = tools::render(request, quirks, losses);
    let rejects_reasoning = !tools.is_empty() && quirks.rejects_reasoning_with_tools(&request.model);
    let by_effort = request.reasoning.as_ref().filter(|_| !quirks.reasoning_object);
    let reasoning = request.reasoning.as_ref().filter(|_| quirks.reasoning_object).map(ReasoningBody::of);
    let effort = match reasoning_effort(by_effort, losses) {
        effort if !rejects_reasoning => effort,
        effort => {
            let none = ReasoningEffort::None.name();
            if effort.is_some_and(|effort| effort != none) {
                losses.advisory("reasoning_effort");
            }
            Some(none)
        }
    };
    let body = RequestBody {
        request,
        messages,
        tools,
        tool_choice,
        reasoning_effort: effort,
        reasoning,
        top_k: request.sampling.top_k.as_ref().filter(|_| quirks.top_k),
        limit_member: quirks.limit_member(&request.model),
    };
    if request.sampling.top_k.is_some() && !quirks.top_k {
        losses.advisory("top_k");
    }
    for member in request.extra.iter().filter(|member| member.origin != SignatureOrigin::OpenAi) {
        losses.record(&member.path, member.weight);
    }
    // Strings, numbers and raw JSON into a vector: this cannot fail.
    serde_json::to_vec(&body).unwrap_or_default().into()
}

struct RequestBody<'a> {
    request: &'a ConversationRequest,
    messages: Vec<MessageBody<'a>>,
    tools: Vec<ToolBody<'a>>,
    tool_choice: Option<ToolChoiceBody<'a>>,
    reasoning_effort: Option<&'static str>,
    reasoning: Option<ReasoningBody>,
    top_k: Option<&'a RawJson>,
    limit_member: &'static str,
}

impl Serialize for RequestBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let request = self.request;
        let sampling = &request.sampling;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model", &request.model)?;
        map.serialize_entry("messages", &self.messages)?;
        if !self.tools.is_empty() {
            map.serialize_entry("tools", &self.tools)?;
        }
        optional(&mut map, "tool_choice", self.tool_choice.as_ref())?;
        let has_tools = !self.tools.is_empty();
        optional(&mut map, "parallel_tool_calls", request.parallel_tool_calls.filter(|_| has_tools))?;
        optional(&mut map, self.limit_member, request.max_output_tokens)?;
        optional(&mut map, "temperature", sampling.temperature.as_ref())?;
        optional(&mut map, "top_p", sampling.top_p.as_ref())?;
        optional(&mut map, "top_k", self.top_k)?;
        optional(&mut map, "presence_penalty", sampling.presence_penalty.as_ref())?;
        optional(&mut map, "frequency_penalty", sampling.frequency_penalty.as_ref())?;
        optional(&mut map, "seed", sampling.seed.as_ref())?;
        if !request.stop.is_empty() {
            map.serialize_entry("stop", &request.stop)?;
        }
        optional(&mut map, "response_format", ResponseFormat::of(&request.output_format))?;
        optional(&mut map, "reasoning_effort", self.reasoning_effort)?;
        optional(&mut map, "reasoning", self.reasoning.as_ref())?;
        optional(&mut map, "user", request.end_user.as_ref())?;
        if request.streaming {
            map.serialize_entry("stream", &true)?;
            optional(&mut map, "stream_options", request.wants_stream_usage.then_some(STREAM_USAGE))?;
        }
        for member in request.extra.iter().filter(|member| member.origin == SignatureOrigin::OpenAi) {
            map.serialize_entry(&member.name, &member.value)?;
        }
        map.end()
    }
}

fn optional<M: SerializeMap, T: Serialize>(
    map: &mut M,
    name: &str,
    value: Option<T>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, &value))
}

#[derive(serde::Serialize)]
struct StreamOptions {
    include_usage: bool,
}

const STREAM_USAGE: StreamOptions = StreamOptions { include_usage: true };

#[derive(serde::Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseFormat<'a> {
    JsonObject,
    JsonSchema { json_schema: JsonSchema<'a> },
}

#[derive(serde::Serialize)]
struct JsonSchema<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    schema: &'a RawJson,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

/// Name of a schema that has none, which the API requires.
const SCHEMA_NAME: &str = "response";

impl<'a> ResponseFormat<'a> {
    fn of(format: &'a OutputFormat) -> Option<Self> {
        match format {
            OutputFormat::Text => None,
            OutputFormat::JsonObject => Some(Self::JsonObject),
            OutputFormat::JsonSchema { name, description, schema, strict } => Some(Self::JsonSchema {
                json_schema: JsonSchema {
                    name: name.as_deref().unwrap_or(SCHEMA_NAME),
                    description: description.as_deref(),
                    schema,
                    strict: *strict,
                },
            }),
        }
    }
}

/// OpenRouter's request for reasoning.
#[derive(serde::Serialize)]
struct ReasoningBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclude: Option<bool>,
}

impl ReasoningBody {
    /// Returns the members for a request. An effort and a limit exclude each other.
    fn of(reasoning: &ReasoningRequest) -> Self {
        let is_off = reasoning.is_off() && reasoning.effort != Some(ReasoningEffort::None);
        let effort = reasoning.effort.filter(|_| !is_off).map(ReasoningEffort::name);
        let is_bare = effort.is_none() && reasoning.budget_tokens.is_none();
        Self {
            enabled: if is_off { Some(false) } else { (is_bare && reasoning.is_adaptive).then_some(true) },
            effort,
            max_tokens: reasoning.budget_tokens.filter(|_| effort.is_none() && !is_off),
            exclude: reasoning.is_visible.map(|is_visible| !is_visible),
        }
    }
}

/// Returns the effort of a request for reasoning. A request for none that does not name an effort is
/// left out: models that do not reason reject the member.
fn reasoning_effort(reasoning: Option<&ReasoningRequest>, losses: &mut Losses) -> Option<&'static str> {
    let reasoning = reasoning?;
    if reasoning.is_visible == Some(false) {
        losses.advisory("reasoning.exclude");
    }
    if reasoning.is_off() && reasoning.effort != Some(ReasoningEffort::None) {
        losses.advisory("reasoning");
        return None;
    }
    reasoning.effort().map(ReasoningEffort::name)
}

#[cfg(test)]
mod tests;
