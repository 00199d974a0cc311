//! What operators see of requests that have ended.
//!
//! A [`History`] comes in, once for each request, and everything is told from it:
//! the log line, the last requests, the sums over time, the spans. So they agree, and
//! what a history does not hold, such as content and keys, is in none of them. Who asks
//! for content in spans gets it beside the history, and only there.

mod content;
pub mod decision_log;
mod log;
pub mod metrics;
mod recent;
pub mod record;
mod repeats;
#[cfg(test)]
mod sample;
mod timeline;
pub mod traces;

use std::sync::Arc;
use std::time::Instant;

use pointsman_domain::failure::FailureKind;
use pointsman_domain::history::History;

pub use content::Content;
pub use decision_log::DecisionLog;
pub use log::{Asked, AttemptFailed, PolicyFailed};
pub use metrics::Metrics;
use metrics::Queue;
pub use recent::{Recent, Since};
pub use record::Record;
use repeats::Repeats;
pub use timeline::{Point, Steps, Timeline, Window};
use traces::{Exchange, Traces};

/// Takes in what happened.
#[derive(Debug, Default)]
pub struct Telemetry {
    /// The last requests.
    pub recent: Recent,
    /// Sums over time.
    pub timeline: Timeline,
    /// What is counted.
    pub metrics: Metrics,
    /// Spans, if somebody collects them.
    pub traces: Option<Traces>,
    /// Records in files, if there are to be any.
    pub decision_log: Option<DecisionLog>,
    /// What need not be told again.
    repeats: Repeats,
}

impl Telemetry {
    /// With whoever takes spans, and with a decision log, if there is to be one.
    pub fn new(traces: Option<Traces>, decision_log: Option<DecisionLog>) -> Self {
        Self { traces, decision_log, ..Self::default() }
    }

    /// A policy failed, which may happen with every request.
    pub fn policy_failed(&self, failed: &PolicyFailed<'_>) {
        let (what, why) = (failed.asked.as_str(), failed.reason);
        if let Some(left_out) = self.repeats.tell(what, why, failed.policy, Instant::now()) {
            log::policy_failed(failed, left_out);
        }
    }

    /// A call of a model failed, which may happen with every request.
    pub fn attempt_failed(&self, failed: &AttemptFailed<'_>) {
        let why = match failed.kind {
            FailureKind::Connect(_) => "connect",
            FailureKind::Timeout(_) => "timeout",
            FailureKind::Status(_) => "status",
            FailureKind::Broken(_) => "broken",
        };
        let told = self.repeats.tell("an attempt failed", why, failed.model.as_str(), Instant::now());
        if let Some(left_out) = told {
            log::attempt_failed(failed, left_out);
        }
    }

    /// A task of a plan failed.
    pub fn task_failed(&self, decision: &str, task: &str, why: &str) {
        log::task_failed(decision, task, why);
    }

    /// An outcome found no room on its way to a policy.
    pub fn outcome_dropped(&self, decision: &str, policy: &str) {
        log::outcome_dropped(decision, policy);
        self.metrics.dropped(Queue::Feedback, 1);
    }

    /// A request has ended. What was said in it goes where an operator asked for it:
    /// the exchange into spans, the content into the decision log.
    pub fn ended(&self, history: History, exchange: Option<Box<dyn Exchange>>, content: Option<Content>) {
        log::ended(&history);
        self.timeline.add(&history);
        self.metrics.ended(&history);
        let history = Arc::new(history);
        if let Some(log) = &self.decision_log {
            log.keep(&history, content);
        }
        if let Some(traces) = &self.traces {
            traces.ended(&history, exchange);
        }
        self.recent.keep(history);
    }
}
