//! `[rollback]` and the `canary` table of routes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Duration;

/// Automatic rollback of a new policy version or of a policy on trial. Its results are
/// compared with those from before it took over, or from alongside it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rollback {
    /// Roll back automatically.
    pub enabled: bool,
    /// Tolerated increase of the share of failed decisions: 0.05 is five percentage points.
    pub failure_rate: f64,
    /// Tolerated increase of the share of requests that no model answered.
    pub error_rate: f64,
    /// Tolerated decision time, as a multiple of the previous 90th percentile; a tenth of the
    /// decisions may take longer. Times below a millisecond count as one millisecond.
    pub decision_time: f64,
    /// Time for which a version is watched after it took over.
    pub watch: Duration,
    /// Time for which a version is not tried again after its first rollback. Doubles with each
    /// further rollback.
    pub backoff: Duration,
    /// Rollbacks of a version after which it is quarantined until an operator releases it.
    pub attempts: u32,
}

/// A policy that gets a share of a route's requests.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Canary {
    /// Policy on trial.
    pub policy: String,
    /// Percentage of requests that it decides. All requests of one session, or else of one key,
    /// go to the same policy.
    pub percent: f64,
}
