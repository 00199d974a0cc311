//! A candidate, in a decision record.

use std::borrow::Cow;
use std::collections::BTreeMap;

use pointsman_domain::candidate::Candidate;
use pointsman_domain::live::LiveSnapshot;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{abilities, modalities};

/// A model that a policy could choose, with its facts at that moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CandidateRecord<'a> {
    /// Id of the model.
    pub model: Cow<'a, str>,
    /// US dollars per million input tokens.
    pub input_usd_per_million: f64,
    /// US dollars per million output tokens.
    pub output_usd_per_million: f64,
    /// Most tokens of input and output together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u32>,
    /// Most tokens of one answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    /// Kinds of content that the model accepts.
    pub inputs: Vec<Cow<'a, str>>,
    /// Abilities of the model.
    pub abilities: Vec<Cow<'a, str>>,
    /// Operations that the model can be called for: `chat`, `embedding`, `transcription`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<Cow<'a, str>>,
    /// Stated quality in general, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<f64>,
    /// Stated quality by kind of task, 0 to 1.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub quality_by_task: Cow<'a, BTreeMap<String, f64>>,
    /// Named facts, such as `parameters`.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub attributes: Cow<'a, BTreeMap<String, String>>,
    /// False if recent calls or probes failed.
    pub healthy: bool,
    /// Calls under way.
    pub in_flight: u32,
    /// Milliseconds to the first token, measured or expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<f64>,
    /// Tokens per second after the first one, measured or expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_second: Option<f64>,
    /// Share of recent calls that failed.
    pub error_rate: f64,
}

/// The live facts alone: the last members of a candidate, in the same order.
#[derive(Serialize)]
pub(crate) struct LiveFacts {
    healthy: bool,
    in_flight: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_token_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens_per_second: Option<f64>,
    error_rate: f64,
}

impl<'a> CandidateRecord<'a> {
    /// Creates the record of a candidate.
    pub fn new(candidate: &'a Candidate) -> Self {
        let (model, live) = (&*candidate.model, &candidate.live);
        Self {
            model: model.id.as_str().into(),
            input_usd_per_million: model.price.input_per_million(),
            output_usd_per_million: model.price.output_per_million(),
            context_window: model.context_window,
            max_output_tokens: model.max_output_tokens,
            inputs: modalities(model.inputs),
            abilities: abilities(model.abilities),
            operations: model.operations.iter().map(|operation| operation.name().into()).collect(),
            quality: model.quality.general,
            quality_by_task: Cow::Borrowed(&model.quality.by_task),
            attributes: Cow::Borrowed(&model.attributes),
            healthy: live.healthy,
            in_flight: live.in_flight,
            first_token_ms: live.first_token_ms,
            tokens_per_second: live.tokens_per_second,
            error_rate: live.error_rate,
        }
    }
}

impl LiveFacts {
    pub(crate) fn new(live: &LiveSnapshot) -> Self {
        Self {
            healthy: live.healthy,
            in_flight: live.in_flight,
            first_token_ms: live.first_token_ms,
            tokens_per_second: live.tokens_per_second,
            error_rate: live.error_rate,
        }
    }
}

fn is_empty<V>(map: &BTreeMap<String, V>) -> bool {
    map.is_empty()
}
