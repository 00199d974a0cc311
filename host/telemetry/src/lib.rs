//! What operators see of requests that have ended.
//!
//! A [`History`] comes in, once for each request, and everything is told from it:
//! the log line, the last requests, the sums over time, the spans. So they agree, and
//! what a history does not hold, such as content and keys, is in none of them. Who asks
//! for content in the decision log or in spans gets it there, beside the history.
//!
//! What is counted is counted at once. For the decision log and for spans, which are
//! more work, a request only leaves its history. It is told of a moment later, with
//! others, by a thread that does nothing else: between the calls of the system that a
//! request is made of, the same work takes three to four times as long as in a row.

mod content;
pub mod decision_log;
mod log;
pub mod metrics;
mod recent;
pub mod record;
mod repeats;
#[cfg(test)]
mod sample;
mod supervisor;
mod timeline;
pub mod traces;
mod waiting;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use pointsman_domain::history::History;
use pointsman_domain::trace::TraceContext;

pub use content::{Answer, Exchange};
pub use decision_log::DecisionLog;
pub use log::{Asked, AttemptFailed, PolicyFailed};
pub use metrics::Metrics;
use metrics::Queue;
pub use recent::{Recent, Since};
pub use record::Record;
use repeats::Repeats;
pub use supervisor::{BackgroundTask, Supervisor};
pub use timeline::{Point, Steps, Timeline, Window};
use traces::Traces;
use waiting::{Ended, Waiting};

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
    /// Requests that neither of these two was told of yet.
    waiting: Waiting,
    /// Those that they are told of now. Whoever holds it tells.
    telling: Mutex<Vec<Ended>>,
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
        let (why, who) = (failed.kind.as_str(), failed.model.as_str());
        let told = self.repeats.tell("an attempt failed", why, who, Instant::now());
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

    /// Whether somebody wants to be told what is said in a request.
    pub fn wants_content(&self, id: &str, trace: Option<TraceContext>) -> bool {
        self.decision_log.as_ref().is_some_and(|log| log.wants_content(id))
            || self.traces.as_ref().is_some_and(|traces| traces.wants_content(trace))
    }

    /// A request has ended. What was said in it goes where an operator asked for it.
    /// Never waits for a disk or a network; where more wait to be told of than one
    /// thread tells, whoever adds to them helps.
    pub fn ended(&self, history: History, exchange: Option<Box<dyn Exchange>>) {
        log::ended(&history);
        self.timeline.add(&history);
        self.metrics.ended(&history);
        let (is_kept, is_told) = (self.recent.wants(&history, Instant::now()), self.is_told(&history));
        if !is_kept && !is_told {
            return;
        }
        let history = Arc::new(history);
        if is_kept {
            self.recent.keep(Arc::clone(&history));
        }
        if is_told && self.waiting.push(Ended { history, exchange }) {
            self.catch_up();
        }
    }

    /// Tells of requests as they end, until it is closed. For a thread of its own:
    /// without it they are told of when many wait. May be called again after a panic.
    pub fn run(&self) {
        while self.waiting.wait() {
            self.catch_up();
        }
    }

    /// Tells of everything that has ended by now, and lets whoever runs it end.
    pub fn close(&self) {
        self.waiting.close();
        self.catch_up();
    }

    /// Tells of everything that has ended by now.
    pub fn catch_up(&self) {
        let mut batch = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.take(&mut batch);
        for ended in batch.drain(..) {
            // A panic costs one request's record and spans, not those of the whole batch.
            if catch_unwind(AssertUnwindSafe(|| self.record(ended))).is_err() {
                self.metrics.dropped(Queue::DecisionLog, u64::from(self.decision_log.is_some()));
            }
        }
    }

    /// Adds a request that has ended to the decision log and to the spans.
    fn record(&self, Ended { history, exchange }: Ended) {
        let exchange = exchange.as_deref();
        if let Some(log) = &self.decision_log {
            log.keep(&history, exchange.map(Exchange::prompt));
        }
        if let Some(traces) = &self.traces {
            traces.ended(&history, exchange);
        }
    }

    /// Whether the decision log or spans are to tell of a request.
    fn is_told(&self, history: &History) -> bool {
        self.decision_log.as_ref().is_some_and(|log| log.wants(&history.outcome.id))
            || self.traces.as_ref().is_some_and(|traces| traces.wants(history.trace))
    }
}

#[cfg(test)]
mod tests;
