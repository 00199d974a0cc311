//! Limit of tokens, reasoning, sampling and output format of a call.

use std::borrow::Cow;

use serde::Serialize;

use super::model::ModelTraits;
use super::schema::without_limits;
use super::tools::is_forced;
use crate::form::{
    ConversationRequest, Losses, Message, MessageRole, OutputFormat, PartContent, RawJson, ReasoningEffort,
    ReasoningRequest,
};

/// Limit of tokens of an answer where neither the client nor the model's entry states one: the API
/// requires a limit. Every model accepts this one, and other gateways send the same.
pub const DEFAULT_MAX_TOKENS: u32 = 4_096;

/// Lowest budget of reasoning that the API accepts.
const MIN_BUDGET: u32 = 1_024;

/// Options of a call that depend on each other.
#[derive(Debug, Serialize)]
pub(super) struct OptionsBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<RawJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<&'a RawJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<&'a RawJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<ThinkingBody>,
    #[serde(skip_serializing_if = "OutputConfig::is_empty")]
    output_config: OutputConfig<'a>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ThinkingBody {
    Enabled {
        budget_tokens: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        display: Option<&'static str>,
    },
    Adaptive {
        #[serde(skip_serializing_if = "Option::is_none")]
        display: Option<&'static str>,
    },
    Disabled,
}

#[derive(Debug, Default, Serialize)]
struct OutputConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Format<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "json_schema")]
struct Format<'a> {
    schema: Cow<'a, RawJson>,
}

impl OutputConfig<'_> {
    const fn is_empty(&self) -> bool {
        self.effort.is_none() && self.format.is_none()
    }
}

impl<'a> OptionsBody<'a> {
    /// Returns the options of a call.
    pub fn of(request: &'a ConversationRequest, traits: ModelTraits, losses: &mut Losses) -> Self {
        let (thinking, effort) = reasoning(request, traits, losses);
        let limit = request.max_output_tokens.unwrap_or_else(|| match thinking {
            // The limit includes the reasoning.
            Some(ThinkingBody::Enabled { budget_tokens, .. }) => {
                budget_tokens.saturating_add(DEFAULT_MAX_TOKENS)
            }
            _ => DEFAULT_MAX_TOKENS,
        });
        let is_reasoning =
            matches!(thinking, Some(ThinkingBody::Enabled { .. } | ThinkingBody::Adaptive { .. }));
        let sampling = Sampling::of(request, traits, is_reasoning, losses);
        Self {
            max_tokens: Some(limit),
            temperature: sampling.temperature,
            top_p: sampling.top_p,
            top_k: sampling.top_k,
            thinking,
            output_config: OutputConfig { effort, format: format(request, losses) },
        }
    }

    /// Returns the same without what a request to count tokens does not have.
    pub fn without_limit(self) -> Self {
        Self { max_tokens: None, temperature: None, top_p: None, top_k: None, ..self }
    }
}

/// Returns the mode of reasoning and the effort.
fn reasoning(
    request: &ConversationRequest,
    traits: ModelTraits,
    losses: &mut Losses,
) -> (Option<ThinkingBody>, Option<&'static str>) {
    let Some(reasoning) = &request.reasoning else { return (None, None) };
    let effort = reasoning.effort().filter(|effort| *effort > ReasoningEffort::None);
    let effort = effort.filter(|_| traits.reasons_adaptively).map(|effort| effort_name(effort, traits));
    if reasoning.is_off() {
        return (Some(ThinkingBody::Disabled), effort);
    }
    if !reasoning.is_adaptive && reasoning.effort().is_none() {
        // Only the visibility is requested.
        return (None, None);
    }
    let display = reasoning.is_visible.map(|visible| if visible { "summarized" } else { "omitted" });
    let has_budget_alone = reasoning.budget_tokens.is_some() && reasoning.effort.is_none();
    if traits.reasons_adaptively && !(traits.accepts_budget && has_budget_alone) {
        return (Some(ThinkingBody::Adaptive { display }), effort);
    }
    // A forced call and reasoning with a budget exclude each other, and the call is what the client
    // depends on.
    let is_excluded = is_forced(request.tool_choice.as_ref()) && !request.tools.is_empty();
    match budget(reasoning, request.max_output_tokens) {
        Some(budget_tokens) if !is_excluded && !lacks_reasoning(&request.messages) => {
            (Some(ThinkingBody::Enabled { budget_tokens, display }), None)
        }
        _ => {
            losses.advisory("reasoning_effort");
            (None, None)
        }
    }
}

/// Returns the budget of reasoning, which has to be below the limit of tokens and leaves a quarter
/// of it to the answer if the client's own is not below it; `None` if the limit has no room.
fn budget(reasoning: &ReasoningRequest, limit: Option<u32>) -> Option<u32> {
    let wanted = reasoning.budget_tokens().unwrap_or(ReasoningEffort::Medium.budget_tokens()).max(MIN_BUDGET);
    match limit {
        Some(limit) if limit <= MIN_BUDGET => None,
        Some(limit) if wanted >= limit => Some((limit - limit / 4).max(MIN_BUDGET)),
        _ => Some(wanted),
    }
}

/// Returns whether the model is in the middle of a turn with calls of tools that it began without
/// reasoning, or whose reasoning is lost: the API rejects reasoning with a budget then.
fn lacks_reasoning(messages: &[Message]) -> bool {
    let is_result = |message: &Message| {
        message.parts.iter().any(|part| matches!(part.content, PartContent::ToolResult(_)))
    };
    let (Some(last), Some(calling)) =
        (messages.last(), messages.iter().rev().find(|message| message.role == MessageRole::Assistant))
    else {
        return false;
    };
    last.role == MessageRole::User
        && is_result(last)
        && calling.parts.iter().any(|part| matches!(part.content, PartContent::ToolCall(_)))
        && !calling.parts.iter().any(super::part::is_own_reasoning)
}

/// Returns the effort by the name of the nearest one that the model knows.
const fn effort_name(effort: ReasoningEffort, traits: ModelTraits) -> &'static str {
    match effort {
        ReasoningEffort::None | ReasoningEffort::Minimal => "low",
        ReasoningEffort::ExtraHigh if !traits.has_extra_high_effort => "high",
        ReasoningEffort::Low
        | ReasoningEffort::Medium
        | ReasoningEffort::High
        | ReasoningEffort::ExtraHigh
        | ReasoningEffort::Max => effort.name(),
    }
}

struct Sampling<'a> {
    temperature: Option<RawJson>,
    top_p: Option<&'a RawJson>,
    top_k: Option<&'a RawJson>,
}

impl<'a> Sampling<'a> {
    /// Returns the parameters that the model accepts; the others are losses.
    fn of(
        request: &'a ConversationRequest,
        traits: ModelTraits,
        is_reasoning: bool,
        losses: &mut Losses,
    ) -> Self {
        let sampling = &request.sampling;
        let unknown = [
            ("presence_penalty", &sampling.presence_penalty),
            ("frequency_penalty", &sampling.frequency_penalty),
            ("seed", &sampling.seed),
        ];
        for (name, _) in unknown.into_iter().filter(|(_, value)| value.is_some()) {
            losses.advisory(name);
        }
        let accepts_any = traits.accepts_sampling;
        let mut accepted = |name: &str, value: &'a Option<RawJson>, is_accepted: &dyn Fn(f64) -> bool| {
            let value = value.as_ref()?;
            let is_accepted = accepts_any && value.parse_as().is_ok_and(is_accepted);
            if !is_accepted {
                losses.advisory(name);
            }
            is_accepted.then_some(value)
        };
        // With reasoning, the API accepts the temperature 1, and a `top_p` near 1.
        let temperature =
            accepted("temperature", &sampling.temperature, &|value| !is_reasoning || value == 1.0);
        let is_one_too_many = temperature.is_some() && traits.accepts_one_of_temperature_and_top_p;
        let top_p =
            accepted("top_p", &sampling.top_p, &|value| !is_one_too_many && (!is_reasoning || value >= 0.95));
        let top_k = accepted("top_k", &sampling.top_k, &|_| !is_reasoning);
        Self { temperature: temperature.and_then(|value| limited(value, losses)), top_p, top_k }
    }
}

/// Returns a temperature within the range of this API, which ends at 1 where OpenAI's ends at 2.
fn limited(temperature: &RawJson, losses: &mut Losses) -> Option<RawJson> {
    if temperature.parse_as::<f64>().is_ok_and(|value| value > 1.0) {
        losses.advisory("temperature");
        return RawJson::parse("1");
    }
    Some(temperature.clone())
}

fn format<'a>(request: &'a ConversationRequest, losses: &mut Losses) -> Option<Format<'a>> {
    match &request.output_format {
        OutputFormat::Text => None,
        // The API takes schemas without other members than the stated ones alone, which excludes
        // the schema of any object.
        OutputFormat::JsonObject => {
            losses.binding("response_format");
            None
        }
        OutputFormat::JsonSchema { name, description, schema, strict: _ } => {
            if name.is_some() {
                losses.advisory("response_format.json_schema.name");
            }
            if description.is_some() {
                losses.advisory("response_format.json_schema.description");
            }
            let changed = without_limits(schema);
            if changed.is_some() {
                losses.advisory("response_format.json_schema.schema");
            }
            Some(Format { schema: changed.map_or(Cow::Borrowed(schema), Cow::Owned) })
        }
    }
}
