//! Results of a simulation.

use std::collections::BTreeMap;
use std::time::Duration;

use pointsman_domain::ids::ModelId;
use pointsman_domain::money::Picodollars;
use pointsman_domain::usage::Usage;

use super::fault::Fault;
use super::quantiles::QuantileSketch;

/// Most labels that are counted one by one.
const MAX_LABELS: usize = 64;
/// Label under which further ones are counted.
const OTHER_LABELS: &str = "(others)";

/// Requests by their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// Requests that were answered.
    pub answered: u64,
    /// Requests for which no model answered.
    pub no_answer: u64,
    /// Requests whose time was over.
    pub deadline: u64,
    /// Requests that a policy refused.
    pub refused: u64,
    /// Requests that no model of the route can serve.
    pub no_candidate: u64,
    /// Requests that were rejected because the policy failed.
    pub rejected: u64,
    /// Requests whose plan had a required task that failed.
    pub task_failed: u64,
}

impl RequestCounts {
    /// Returns the number of all requests.
    pub const fn total(&self) -> u64 {
        self.answered + self.failed()
    }

    /// Returns the number of requests without an answer.
    pub const fn failed(&self) -> u64 {
        self.no_answer + self.deadline + self.refused + self.no_candidate + self.rejected + self.task_failed
    }
}

/// Shape of the work for requests that were answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkShape {
    /// Calls of models.
    pub calls: u64,
    /// Sum over the requests of the longest chain of tasks, 1 for a request without a plan.
    pub depth: u64,
    /// Longest chain of any request.
    pub largest_depth: u32,
    /// Requests with more than one call.
    pub with_several_calls: u64,
    /// Sum over the requests of the backends that were called.
    pub backends: u64,
}

/// Figures of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelReport {
    /// Model.
    pub id: ModelId,
    /// Calls.
    pub calls: u64,
    /// Calls that failed.
    pub failed_calls: u64,
    /// Calls that found the queue full. They count as failed, too.
    pub rejected: u64,
    /// Requests that it answered.
    pub answered: u64,
    /// Tokens that it charged.
    pub usage: Usage,
    /// Cost of its calls.
    pub cost: Picodollars,
    /// Mean number of calls that it worked on.
    pub mean_working: f64,
    /// Share of its places that were taken; `None` if their number is not limited.
    pub utilisation: Option<f64>,
    /// Mean number of calls that waited.
    pub mean_queue: f64,
    /// Longest queue.
    pub longest_queue: u32,
}

impl ModelReport {
    pub(super) fn new(id: ModelId) -> Self {
        Self {
            id,
            calls: 0,
            failed_calls: 0,
            rejected: 0,
            answered: 0,
            usage: Usage::default(),
            cost: Picodollars::ZERO,
            mean_working: 0.0,
            utilisation: None,
            mean_queue: 0.0,
            longest_queue: 0,
        }
    }

    pub(super) fn add_usage(&mut self, usage: &Usage, cost: Picodollars) {
        self.usage = self.usage + *usage;
        self.cost += cost;
    }
}

/// Results of a simulation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SimulationReport {
    /// Requests by their end.
    pub requests: RequestCounts,
    /// Cost of all calls.
    pub cost: Picodollars,
    /// Time from arrival to the end of the answer, of answered requests.
    pub latency: QuantileSketch,
    /// Time from arrival to the first token, of answered requests.
    pub first_token: QuantileSketch,
    /// Answers, and outputs of tasks, of another model than the first of the decision.
    pub takeovers: u64,
    /// Calls that gave no byte in time.
    pub timeouts: u64,
    /// Calls that were made because there was no answer yet.
    pub hedges: u64,
    /// Failures of policies by reason.
    pub decision_failures: BTreeMap<&'static str, u64>,
    /// Decisions and plans by label.
    pub labels: BTreeMap<String, u64>,
    /// Shape of the work.
    pub shape: WorkShape,
    /// Sum of the stated quality of the models that answered, and the number of those answers.
    pub stated_quality: (f64, u64),
    /// Sum of the recorded scores of answers, and the number of answers whose score is known: those of one
    /// model to the whole request.
    pub recorded_quality: (f64, u64),
    /// Models, in the order of the route.
    pub models: Vec<ModelReport>,
    /// Time from the start to the last end of a request.
    pub simulated: Duration,
}

impl SimulationReport {
    pub(super) fn count_decision_failure(&mut self, reason: &'static str) {
        *self.decision_failures.entry(reason).or_default() += 1;
    }

    pub(super) fn count_label(&mut self, label: &str) {
        if let Some(count) = self.labels.get_mut(label) {
            *count += 1;
            return;
        }
        let label = if self.labels.len() < MAX_LABELS { label } else { OTHER_LABELS };
        *self.labels.entry(label.to_owned()).or_default() += 1;
    }

    pub(super) fn count_failure(&mut self, fault: Fault) {
        *match fault {
            Fault::NoAnswer => &mut self.requests.no_answer,
            Fault::Deadline => &mut self.requests.deadline,
            Fault::Refused => &mut self.requests.refused,
            Fault::NoCandidate => &mut self.requests.no_candidate,
            Fault::Rejected => &mut self.requests.rejected,
            Fault::Task => &mut self.requests.task_failed,
        } += 1;
    }

    /// Returns the mean cost of a request in US dollars; `None` without requests. Failed requests
    /// count with what their calls cost.
    pub fn mean_cost_usd(&self) -> Option<f64> {
        let requests = self.requests.total();
        (requests > 0).then(|| self.cost.usd() / requests as f64)
    }

    /// Returns the mean stated quality of the models that answered.
    pub fn mean_stated_quality(&self) -> Option<f64> {
        mean_of(self.stated_quality)
    }

    /// Returns the mean recorded score of answers; `None` if no score is known.
    pub fn mean_recorded_quality(&self) -> Option<f64> {
        mean_of(self.recorded_quality)
    }
}

fn mean_of((sum, count): (f64, u64)) -> Option<f64> {
    (count > 0).then(|| sum / count as f64)
}
