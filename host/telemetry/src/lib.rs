//! What operators see of requests that have ended.
//!
//! A [`History`] comes in, once for each request, and everything is told from it:
//! the log line, the last requests, the sums over time, the spans. So they agree, and
//! what a history does not hold, such as content and keys, is in none of them. Who asks
//! for content in the decision log or in spans gets it there, beside the history.
//!
//! A request only leaves its history. It is told of a moment later, with others, by a
//! thread that does nothing else: between the calls of the system that a request is
//! made of, the same work takes three to four times as long as in a row. Whoever reads
//! what was told tells first what is not told yet, so nobody sees a difference.

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
mod waiting;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use pointsman_domain::failure::FailureKind;
use pointsman_domain::history::History;
use pointsman_domain::model::Model;
use pointsman_domain::trace::TraceContext;

pub use content::{Answer, Exchange};
pub use decision_log::DecisionLog;
pub use log::{Asked, AttemptFailed, PolicyFailed};
pub use metrics::Metrics;
use metrics::{Format, Queue, State};
pub use recent::{Recent, Since};
pub use record::Record;
use repeats::Repeats;
pub use timeline::{Point, Steps, Timeline, Window};
use traces::Traces;
use waiting::{Ended, Waiting};

/// Takes in what happened.
#[derive(Debug, Default)]
pub struct Telemetry {
    waiting: Waiting,
    /// Those that are told of now. Whoever holds it tells.
    telling: Mutex<Vec<Ended>>,
    recent: Recent,
    timeline: Timeline,
    metrics: Metrics,
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

    /// From now on requests can be for these names, with the models behind each.
    pub fn serves<'a, M>(&self, served: impl Fn() -> M)
    where
        M: Iterator<Item = (&'a Arc<str>, &'a [Arc<Model>])>,
    {
        self.catch_up();
        self.metrics.configure(served);
    }

    /// A request was turned away before anybody was asked what to do. The code is
    /// one of those in the source.
    pub fn turned_away(&self, code: &'static str) {
        self.metrics.turned_away(code);
    }

    /// So much was dropped because a queue was full.
    pub fn dropped(&self, queue: Queue, count: u64) {
        self.metrics.dropped(queue, count);
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
        self.dropped(Queue::Feedback, 1);
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
        if self.waiting.push(Ended { history, exchange }) {
            self.catch_up();
        }
    }

    /// Tells of requests as they end, until it is closed. For a thread of its own:
    /// without it they are told of when somebody asks, or when many wait.
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
            self.tell(ended);
        }
    }

    /// The last requests.
    pub fn recent(&self) -> &Recent {
        self.catch_up();
        &self.recent
    }

    /// Sums over time.
    pub fn timeline(&self) -> &Timeline {
        self.catch_up();
        &self.timeline
    }

    /// All metrics in a format, with how things stand.
    pub fn metrics(&self, format: Format, state: State) -> String {
        self.catch_up();
        self.metrics.page(format, state)
    }

    fn tell(&self, Ended { history, exchange }: Ended) {
        let exchange = exchange.as_deref();
        self.timeline.add(&history);
        self.metrics.ended(&history);
        if let Some(log) = &self.decision_log {
            log.keep(&history, exchange.map(Exchange::prompt));
        }
        if let Some(traces) = &self.traces {
            traces.ended(&history, exchange);
        }
        self.recent.keep(history, Instant::now());
    }
}

#[cfg(test)]
mod tests;
