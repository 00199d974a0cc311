//! Calls that a policy got before the request of a case.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CandidateEntry, RequestFormat};
use crate::case::words::StatusName;

/// A call of the policy before the request of a case: exactly one of `request`, `outcome` and `rating`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EarlierCall {
    /// A request that the policy decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestFormat>,
    /// The models of that request; by default those of the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidates: Option<Vec<CandidateEntry>>,
    /// The outcome of a request, for policies that observe outcomes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeFormat>,
    /// A rating of an answer, for policies that take ratings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<RatingFormat>,
}

/// The outcome of a request. What is not stated is that of a short chat that was answered at once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OutcomeFormat {
    /// Decision id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Label of the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// End of the request; by default `answered`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusName>,
    /// Model that answered; by default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Calls of models; by default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// Input tokens; by default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u32>,
    /// Output tokens; by default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u32>,
    /// US dollars; by default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// Milliseconds to the first token; by default unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<f64>,
    /// Milliseconds from arrival to end; by default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A rating of an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RatingFormat {
    /// Decision id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// Label of the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Model that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Score, 0..1; by default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Subject of the score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl EarlierCall {
    /// Returns whether it is exactly one call.
    pub fn is_one(&self) -> bool {
        let calls = [self.request.is_some(), self.outcome.is_some(), self.rating.is_some()];
        let is_one = calls.iter().filter(|is_stated| **is_stated).count() == 1;
        is_one && (self.request.is_some() || self.candidates.is_none())
    }
}
