//! Limits, sampling, output format and reasoning.

use serde::Serialize;
use serde_json::value::RawValue;

use super::super::model_family::{ModelFamily, Thinking};
use super::super::schema;
use crate::form::{ConversationRequest, Losses, OutputFormat, RawJson};

/// Most texts that may end an answer.
const MAX_STOP_SEQUENCES: usize = 5;

/// Configuration of the generation.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GenerationConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<&'a RawJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<&'a RawJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<&'a RawJson>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    stop_sequences: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<&'a RawJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<&'a RawJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<&'a RawJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_mime_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_json_schema: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_config: Option<ThinkingConfig>,
}

/// Configuration of the reasoning.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ThinkingConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    include_thoughts: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_budget: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_level: Option<&'static str>,
}

impl<'a> GenerationConfig<'a> {
    /// Returns the configuration of a request.
    pub(super) fn of(request: &'a ConversationRequest, family: ModelFamily, losses: &mut Losses) -> Self {
        let sampling = &request.sampling;
        let stop_sequences = request.stop.get(..MAX_STOP_SEQUENCES).unwrap_or(&request.stop);
        if stop_sequences.len() < request.stop.len() {
            losses.binding("stop");
        }
        let seed = sampling.seed.as_ref().filter(|seed| seed.parse_as::<i32>().is_ok());
        if seed.is_none() && sampling.seed.is_some() {
            losses.advisory("seed");
        }
        let (response_mime_type, response_json_schema) = output_format(&request.output_format, losses);
        let thinking = ThinkingConfig::of(request, family, losses);
        Self {
            max_output_tokens: request.max_output_tokens,
            temperature: sampling.temperature.as_ref(),
            top_p: sampling.top_p.as_ref(),
            top_k: sampling.top_k.as_ref(),
            stop_sequences,
            seed,
            presence_penalty: sampling.presence_penalty.as_ref(),
            frequency_penalty: sampling.frequency_penalty.as_ref(),
            response_mime_type,
            response_json_schema,
            thinking_config: Some(thinking).filter(|thinking| *thinking != ThinkingConfig::default()),
        }
    }

    /// Returns whether every member has its default.
    pub(super) const fn is_empty(&self) -> bool {
        self.max_output_tokens.is_none()
            && self.temperature.is_none()
            && self.top_p.is_none()
            && self.top_k.is_none()
            && self.stop_sequences.is_empty()
            && self.seed.is_none()
            && self.presence_penalty.is_none()
            && self.frequency_penalty.is_none()
            && self.response_mime_type.is_none()
            && self.thinking_config.is_none()
    }
}

impl ThinkingConfig {
    fn of(request: &ConversationRequest, family: ModelFamily, losses: &mut Losses) -> Self {
        let Some(reasoning) = &request.reasoning else { return Self::default() };
        let include_thoughts = reasoning.is_visible.filter(|_| family.can_think());
        match family.thinking(request, losses) {
            None => Self { include_thoughts, ..Self::default() },
            Some(Thinking::Budget(tokens)) => {
                Self { include_thoughts, thinking_budget: Some(tokens), ..Self::default() }
            }
            Some(Thinking::Level(level)) => {
                Self { include_thoughts, thinking_level: Some(level), ..Self::default() }
            }
        }
    }
}

/// Returns the media type and the schema of the answer.
fn output_format(
    format: &OutputFormat,
    losses: &mut Losses,
) -> (Option<&'static str>, Option<Box<RawValue>>) {
    const JSON: Option<&str> = Some("application/json");
    match format {
        OutputFormat::Text => (None, None),
        OutputFormat::JsonObject => (JSON, None),
        OutputFormat::JsonSchema { name, description, schema, strict } => {
            schema::record_unenforced(schema, *strict, losses);
            let text = schema::labelled(schema, name.as_deref(), description.as_deref(), losses);
            (JSON, RawValue::from_string(text.into_owned()).ok())
        }
    }
}
