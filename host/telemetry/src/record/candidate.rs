//! A candidate in a decision record.

use std::collections::BTreeMap;

use pointsman_domain::candidate;
use schemars::JsonSchema;
use serde::Serialize;

use super::{abilities, modalities};

/// A model that could have been chosen, with its facts at that moment.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Candidate<'a> {
    /// Its id.
    pub model: &'a str,
    /// US dollars for a million tokens of input.
    pub input_usd_per_million: f64,
    /// US dollars for a million tokens of output.
    pub output_usd_per_million: f64,
    /// Most tokens of input and output together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u32>,
    /// Most tokens of one answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    /// Kinds of content that it accepts.
    pub inputs: Vec<String>,
    /// What it can do.
    pub abilities: Vec<String>,
    /// Its stated quality in general, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<f64>,
    /// Its stated quality by kind of task, 0 to 1.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub quality_by_task: &'a BTreeMap<String, f64>,
    /// Named facts, such as `parameters`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: &'a BTreeMap<String, String>,
    /// False when recent calls or probes failed.
    pub healthy: bool,
    /// Calls that were under way.
    pub in_flight: u32,
    /// Milliseconds to the first token, measured or expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<f64>,
    /// Tokens per second after it, measured or expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_second: Option<f64>,
    /// Share of recent calls that failed.
    pub error_rate: f64,
}

impl<'a> Candidate<'a> {
    pub(crate) fn of(candidate: &'a candidate::Candidate) -> Self {
        let (model, live) = (&*candidate.model, &candidate.live);
        Self {
            model: model.id.as_str(),
            input_usd_per_million: model.price.input_per_million(),
            output_usd_per_million: model.price.output_per_million(),
            context_window: model.context_window,
            max_output_tokens: model.max_output_tokens,
            inputs: modalities(model.inputs),
            abilities: abilities(model.abilities),
            quality: model.quality.general,
            quality_by_task: &model.quality.by_task,
            attributes: &model.attributes,
            healthy: live.healthy,
            in_flight: live.in_flight,
            first_token_ms: live.first_token_ms,
            tokens_per_second: live.tokens_per_second,
            error_rate: live.error_rate,
        }
    }
}
