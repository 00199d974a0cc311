//! A decision record, as far as it is shown.

use std::collections::BTreeMap;

use serde::Deserialize;

/// `GET /admin/decisions/ID`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli::top) struct Record {
    pub(in crate::cli::top) id: String,
    pub(in crate::cli::top) route: String,
    pub(in crate::cli::top) key: Option<String>,
    pub(in crate::cli::top) request: Request,
    pub(in crate::cli::top) decisions: Vec<Asked>,
    pub(in crate::cli::top) attempts: Vec<Attempt>,
    pub(in crate::cli::top) plan: Option<Plan>,
    pub(in crate::cli::top) outcome: Outcome,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli::top) struct Request {
    pub(in crate::cli::top) operation: String,
    pub(in crate::cli::top) model: String,
    pub(in crate::cli::top) input_tokens: u64,
    pub(in crate::cli::top) max_output_tokens: Option<u64>,
    pub(in crate::cli::top) inputs: Vec<String>,
    pub(in crate::cli::top) needs: Vec<String>,
    pub(in crate::cli::top) turns: u64,
    pub(in crate::cli::top) streaming: bool,
    pub(in crate::cli::top) deadline_ms: Option<f64>,
    pub(in crate::cli::top) attributes: BTreeMap<String, String>,
}

/// One time that somebody was asked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli::top) struct Asked {
    /// Absent of the gateway's own order.
    pub(in crate::cli::top) policy: Option<String>,
    pub(in crate::cli::top) digest: Option<String>,
    pub(in crate::cli::top) took_us: f64,
    pub(in crate::cli::top) candidates: Vec<Candidate>,
    pub(in crate::cli::top) answer: Answer,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli::top) struct Candidate {
    pub(in crate::cli::top) model: String,
    pub(in crate::cli::top) input_usd_per_million: f64,
    pub(in crate::cli::top) output_usd_per_million: f64,
    pub(in crate::cli::top) quality: Option<f64>,
    pub(in crate::cli::top) healthy: bool,
    pub(in crate::cli::top) in_flight: u64,
    pub(in crate::cli::top) first_token_ms: Option<f64>,
    pub(in crate::cli::top) error_rate: f64,
}

/// Which members there are depends on the kind.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli::top) struct Answer {
    pub(in crate::cli::top) kind: String,
    pub(in crate::cli::top) targets: Vec<Target>,
    pub(in crate::cli::top) label: Option<String>,
    pub(in crate::cli::top) reason: Option<String>,
    pub(in crate::cli::top) hedge_after_ms: Option<f64>,
    pub(in crate::cli::top) propensity: Option<f64>,
    pub(in crate::cli::top) tasks: Option<u64>,
    pub(in crate::cli::top) code: Option<String>,
    pub(in crate::cli::top) message: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli::top) struct Target {
    pub(in crate::cli::top) candidate: usize,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli::top) struct Attempt {
    pub(in crate::cli::top) model: String,
    pub(in crate::cli::top) task: Option<u64>,
    pub(in crate::cli::top) begun_ms: f64,
    pub(in crate::cli::top) first_token_ms: Option<f64>,
    pub(in crate::cli::top) ended_ms: f64,
    pub(in crate::cli::top) result: String,
    pub(in crate::cli::top) error: Option<String>,
    pub(in crate::cli::top) input_tokens: u64,
    pub(in crate::cli::top) output_tokens: u64,
    pub(in crate::cli::top) cost_usd: f64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli::top) struct Plan {
    pub(in crate::cli::top) steps: u64,
    pub(in crate::cli::top) critical_path_ms: f64,
    pub(in crate::cli::top) tasks: Vec<Task>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli::top) struct Task {
    pub(in crate::cli::top) number: u64,
    pub(in crate::cli::top) name: String,
    pub(in crate::cli::top) status: String,
    pub(in crate::cli::top) model: Option<String>,
    pub(in crate::cli::top) begun_ms: Option<f64>,
    pub(in crate::cli::top) ended_ms: Option<f64>,
    pub(in crate::cli::top) cost_usd: f64,
    pub(in crate::cli::top) error: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli::top) struct Outcome {
    pub(in crate::cli::top) ending: String,
    pub(in crate::cli::top) model: Option<String>,
    pub(in crate::cli::top) first_token_ms: Option<f64>,
    pub(in crate::cli::top) latency_ms: f64,
    pub(in crate::cli::top) added_ms: Option<f64>,
    pub(in crate::cli::top) input_tokens: u64,
    pub(in crate::cli::top) output_tokens: u64,
    pub(in crate::cli::top) cost_usd: f64,
    pub(in crate::cli::top) baseline_model: Option<String>,
    pub(in crate::cli::top) baseline_cost_usd: Option<f64>,
    pub(in crate::cli::top) error: Option<String>,
}
