//! The tables that say how new policies and versions are tried, and undone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Duration;

/// When a new version of a policy, or a policy on trial, is undone by itself.
/// Compared are what it did and what was done before it took over, or beside it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rollback {
    /// Whether anything is undone by itself.
    pub enabled: bool,
    /// By how much the share of failed decisions may be higher: 0.05 is five in a
    /// hundred more.
    pub failure_rate: f64,
    /// By how much the share of requests that no model answered may be higher.
    pub error_rate: f64,
    /// How many times what nine of ten decisions took before a decision may take; a
    /// tenth of them may take longer. Times below a millisecond count as one.
    pub decision_time: f64,
    /// How long a version is watched after it took over.
    pub watch: Duration,
    /// How long a version that was undone is left alone, the first time. Doubles
    /// each further time.
    pub backoff: Duration,
    /// How often a version is undone before it is in quarantine, from which only
    /// a person releases it.
    pub attempts: u32,
}

/// A policy that gets a share of a route's requests.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Canary {
    /// The policy.
    pub policy: String,
    /// How many of a hundred requests it gets. Those of one session, or else of
    /// one key, all go to the same policy.
    pub percent: f64,
}
