//! What a gateway tells, as far as it is shown.
//!
//! Members that are missing have their defaults, and unknown ones are passed over:
//! a gateway may be a little older or newer than this command.

mod record;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(super) use record::{Answer, Asked, Record};

use crate::cli::printable;

/// Reads an answer, with no text in it that would drive the terminal.
pub(super) fn read<T: DeserializeOwned>(answer: Value) -> Result<T, serde_json::Error> {
    serde_json::from_value(printable::json(answer))
}

/// `GET /admin/overview`
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Overview {
    pub(super) version: String,
    pub(super) now_ms: u64,
    pub(super) started_ms: u64,
    #[serde(default)]
    pub(super) totals: Sums,
    #[serde(default)]
    pub(super) timeline: Timeline,
    #[serde(default)]
    pub(super) models: Vec<Model>,
    #[serde(default)]
    pub(super) routes: Vec<Route>,
    #[serde(default)]
    pub(super) policies: Vec<Policy>,
    /// The newest first.
    #[serde(default)]
    pub(super) changes: Vec<Change>,
}

/// What requests came to.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sums {
    pub(super) requests: u64,
    pub(super) answered: u64,
    pub(super) failed: u64,
    pub(super) cost_usd: f64,
    pub(super) compared_cost_usd: f64,
    pub(super) baseline_cost_usd: f64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Timeline {
    pub(super) points: Vec<Point>,
}

/// A second in which requests ended.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Point {
    pub(super) at_ms: u64,
    #[serde(flatten)]
    pub(super) sums: Sums,
    pub(super) latency_ms_p50: Option<f64>,
    pub(super) latency_ms_p95: Option<f64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Model {
    pub(super) id: String,
    pub(super) healthy: bool,
    pub(super) resting: bool,
    pub(super) in_flight: u64,
    pub(super) first_token_ms: Option<f64>,
    pub(super) tokens_per_second: Option<f64>,
    pub(super) error_rate: f64,
    pub(super) input_usd_per_million: f64,
    pub(super) output_usd_per_million: f64,
    /// Answers.
    pub(super) requests: u64,
    pub(super) cost_usd: f64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Route {
    pub(super) name: String,
    /// Name and digest of the version that decides.
    pub(super) version: String,
    pub(super) promoted: Option<Value>,
    pub(super) trial: Option<Trial>,
    pub(super) models: Vec<String>,
    pub(super) baseline: Option<String>,
    #[serde(flatten)]
    pub(super) sums: Sums,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Trial {
    pub(super) policy: String,
    /// Absent of a shadow.
    pub(super) percent: Option<f64>,
    pub(super) suspended: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Policy {
    pub(super) name: String,
    pub(super) active: String,
    pub(super) routes: Vec<String>,
    pub(super) on_trial: Vec<String>,
    pub(super) decisions: u64,
    /// By reason.
    pub(super) failures: Vec<(String, u64)>,
    pub(super) swaps: u64,
    pub(super) rejected: Option<Rejected>,
    pub(super) holds: Vec<Hold>,
    pub(super) active_record: Served,
}

/// What a version did since it was let in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Served {
    pub(super) decision_us_p50: Option<f64>,
    pub(super) decision_us_p99: Option<f64>,
}

/// A version that was not let in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Rejected {
    pub(super) error: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Hold {
    pub(super) in_force: bool,
}

/// A line of the audit log.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Change {
    /// In seconds since 1970.
    pub(super) at: u64,
    who: Who,
    pub(super) action: String,
    pub(super) policy: Option<String>,
    pub(super) route: Option<String>,
    pub(super) digest: Option<String>,
    pub(super) from: Option<String>,
    pub(super) why: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Who {
    Person { admin: String },
    Other(String),
}

/// A line of `GET /admin/decisions`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Summary {
    pub(super) id: String,
    pub(super) at_ms: u64,
    pub(super) route: String,
    /// With its version.
    pub(super) policy: Option<String>,
    pub(super) label: String,
    pub(super) reason: Option<String>,
    pub(super) ending: String,
    pub(super) model: Option<String>,
    pub(super) attempts: u64,
    pub(super) tasks: Option<u64>,
    pub(super) latency_ms: f64,
    pub(super) first_token_ms: Option<f64>,
    pub(super) cost_usd: f64,
    pub(super) error: Option<String>,
}

impl Sums {
    /// The share of the costs that the baseline would have had, and did not arise.
    pub(super) fn saving(&self) -> Option<f64> {
        (self.baseline_cost_usd > 0.0).then(|| 1.0 - self.compared_cost_usd / self.baseline_cost_usd)
    }

    /// The share of the requests that were answered.
    pub(super) fn answered_share(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.answered as f64 / self.requests as f64)
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.answered += other.answered;
        self.failed += other.failed;
        self.cost_usd += other.cost_usd;
        self.compared_cost_usd += other.compared_cost_usd;
        self.baseline_cost_usd += other.baseline_cost_usd;
    }
}

impl Policy {
    pub(super) fn failed(&self) -> u64 {
        self.failures.iter().map(|(_, count)| count).sum()
    }
}

impl Change {
    /// Who changed it.
    pub(super) fn who(&self) -> &str {
        match &self.who {
            Who::Person { admin } if admin.is_empty() => "admin",
            Who::Person { admin: name } | Who::Other(name) => name,
        }
    }
}
