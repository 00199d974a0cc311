//! Routes.

use serde::{Deserialize, Serialize};

use crate::{HoldStatus, VersionStats};

/// A route and who decides at it: an element of `GET /admin/routes`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RouteStatus {
    /// The name.
    pub name: String,
    /// The policy that decides.
    pub policy: String,
    /// Name and short digest of the version that decides; the name alone while none is loaded.
    pub version: String,
    /// The promotion by which the policy took over from the configured one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promoted: Option<Promotion>,
    /// The trial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial: Option<TrialStatus>,
    /// Versions that may not decide here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<HoldStatus>,
}

/// A promotion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Promotion {
    /// The policy that the configuration names.
    pub instead_of: String,
    /// Time of the promotion, in seconds since 1970.
    pub at: u64,
}

/// A policy on trial at a route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TrialStatus {
    /// The policy.
    pub policy: String,
    /// The kind of trial.
    #[serde(flatten)]
    pub mode: TrialMode,
    /// True while the trial is suspended because the version is on hold.
    #[serde(default)]
    pub suspended: bool,
    /// The score; absent while the trial is suspended.
    #[serde(flatten)]
    pub score: Option<TrialScore>,
}

/// The kind of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "mode", rename_all = "kebab-case")]
pub enum TrialMode {
    /// The policy is asked about each request, and its answers are only compared.
    Shadow,
    /// The policy decides a share of the requests.
    Canary {
        /// The share in per cent: above 0 and up to 100.
        percent: f64,
    },
}

/// The results of a trial so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TrialScore {
    /// SHA-256 of the version on trial.
    pub version: String,
    /// Start of the score, in seconds since 1970.
    pub since: u64,
    /// The comparison of a shadow with the policy that decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<Comparison>,
    /// Statistics of the policy that decides, since the same time.
    pub active: VersionStats,
    /// Statistics of the policy on trial.
    pub trial: VersionStats,
}

/// The comparison of a shadow with the policy that decides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Comparison {
    /// Decisions that were compared.
    pub decisions: u64,
    /// Decisions that were not, because the shadow is too slow.
    pub skipped: u64,
    /// Share of the decisions in which both choose the same model first, 0 to 1.
    pub agreement: Option<f64>,
    /// Mean predicted cost of a request, in US dollars.
    pub predicted_cost_usd: Option<ValuePair>,
    /// Mean predicted latency of a request, in milliseconds.
    pub predicted_latency_ms: Option<ValuePair>,
}

/// A value for both policies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ValuePair {
    /// For the policy that decides.
    pub active: f64,
    /// For the policy on trial.
    pub trial: f64,
    /// `trial` minus `active`.
    pub difference: f64,
}
