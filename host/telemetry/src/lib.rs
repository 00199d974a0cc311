//! Telemetry of requests that have ended: the log line, recent requests, sums over time, metrics,
//! the decision log and spans.
//!
//! Each request hands over its [`History`] once, when it ends. Everything here is derived from
//! it, so all outputs agree, and data that a history never contains, such as content and keys,
//! reaches none of them. Content goes to the decision log and to spans only if the operator
//! enabled it there, and travels beside the history.
//!
//! Counters are updated at once. The decision log and spans are more work, so the request only
//! queues its history for them. A dedicated thread then serialises many in a row: between the
//! system calls of a request the same work takes three to four times as long.

mod content;
pub mod decision_log;
mod events;
mod log_throttle;
pub mod metrics;
mod pending;
mod recent;
#[cfg(test)]
#[path = "../../record/src/sample.rs"]
mod sample;
mod supervisor;
mod timeline;
pub mod traces;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use pointsman_domain::failure::FailureKind;
use pointsman_domain::history::History;
use pointsman_domain::ids::{KeyName, ModelId};
use pointsman_domain::rating::Rating;
use pointsman_domain::trace::TraceContext;
use pointsman_record::FeedbackRecord;

pub use content::{AnswerText, CapturedOutput, ContentSource};
pub use decision_log::DecisionLog;
pub use events::{AttemptFailure, PolicyCallFailure, PolicyCallKind};
use log_throttle::LogThrottle;
pub use metrics::Metrics;
use metrics::QueueLabel;
use pending::{EndedRequest, PendingRequests};
pub use recent::{RecentRequests, RecentUpdate};
pub use supervisor::{BackgroundTask, Supervisor};
pub use timeline::{IntervalSeries, IntervalTotals, Timeline, TimelineWindow};
use traces::Traces;

/// Telemetry of one gateway.
#[derive(Debug, Default)]
pub struct Telemetry {
    /// Recent requests.
    pub recent: RecentRequests,
    /// Sums over time.
    pub timeline: Timeline,
    /// Counters and histograms.
    pub metrics: Metrics,
    /// Spans, if a collector is configured.
    pub traces: Option<Traces>,
    /// Decision log, if one is configured.
    pub decision_log: Option<DecisionLog>,
    /// Requests that are not yet in the decision log and the spans.
    pending: PendingRequests,
    /// Requests that are being recorded. The thread that holds the lock records them.
    batch: Mutex<Vec<EndedRequest>>,
    log_throttle: LogThrottle,
}

impl Telemetry {
    /// Creates telemetry with the outputs that are configured.
    pub fn new(traces: Option<Traces>, decision_log: Option<DecisionLog>) -> Self {
        Self { traces, decision_log, ..Self::default() }
    }

    /// Logs a failed call of a policy. The log is throttled, since every request can cause one.
    pub fn log_policy_failure(&self, failure: &PolicyCallFailure<'_>) {
        let (event, reason) = (failure.kind.as_str(), failure.reason);
        if let Some(suppressed) = self.log_throttle.admit(event, reason, failure.policy, Instant::now()) {
            events::log_policy_failure(failure, suppressed);
        }
    }

    /// Logs a failed call of a model. The log is throttled, since every request can cause one.
    pub fn log_attempt_failure(&self, failure: &AttemptFailure<'_>) {
        let (reason, model) = (failure.kind.as_str(), failure.model.as_str());
        let admitted = self.log_throttle.admit("an attempt failed", reason, model, Instant::now());
        if let Some(suppressed) = admitted {
            events::log_attempt_failure(failure, suppressed);
        }
    }

    /// Logs that the provider of a model did not count the tokens of a request. The log is throttled,
    /// since every request can cause one.
    pub fn log_token_count_failure(&self, model: &ModelId, kind: &FailureKind) {
        let event = "the tokens were not counted";
        if let Some(suppressed) =
            self.log_throttle.admit(event, kind.as_str(), model.as_str(), Instant::now())
        {
            events::log_token_count_failure(model, kind, suppressed);
        }
    }

    /// Logs that the history of usage could not be stored. The log is throttled.
    pub fn log_history_failure(&self, error: &str, unstored_steps: usize) {
        if let Some(suppressed) = self.log_throttle.admit("history", "unstored", "", Instant::now()) {
            events::log_history_failure(error, unstored_steps, suppressed);
        }
    }

    /// Logs a failed task of a plan.
    pub fn log_task_failure(&self, decision: &str, task: &str, error: &str) {
        events::log_task_failure(decision, task, error);
    }

    /// Logs and counts an outcome that was dropped because the queue of its policy was full.
    pub fn record_dropped_outcome(&self, decision: &str, policy: &str) {
        events::log_dropped_outcome(decision, policy);
        self.metrics.record_dropped(QueueLabel::Feedback, 1);
    }

    /// Returns whether the content of a request is recorded.
    pub fn wants_content(&self, id: &str, trace: Option<TraceContext>) -> bool {
        self.decision_log.as_ref().is_some_and(|log| log.wants_content(id))
            || self.traces.as_ref().is_some_and(|traces| traces.wants_content(trace))
    }

    /// Returns whether the content of a request includes the outputs of tasks.
    pub fn wants_outputs(&self, id: &str) -> bool {
        self.decision_log.as_ref().is_some_and(|log| log.wants_outputs(id))
    }

    /// Records a request that has ended, with its content if that is wanted. Never waits for a
    /// disk or a network. If requests end faster than the dedicated thread records them, the
    /// caller takes over the pending ones.
    pub fn record_request(&self, history: History, content: Option<Box<dyn ContentSource>>) {
        events::log_request(&history);
        self.timeline.add(&history);
        self.metrics.record_request(&history);
        let (is_kept, is_recorded) =
            (self.recent.admits(&history, Instant::now()), self.is_recorded(&history));
        if !is_kept && !is_recorded {
            return;
        }
        let history = Arc::new(history);
        if is_kept {
            self.recent.add(Arc::clone(&history));
        }
        if is_recorded && self.pending.push(EndedRequest { history, content }) {
            self.record_pending();
        }
    }

    /// Records a rating of an answer.
    pub fn record_feedback(&self, rating: &Rating, key: Option<&KeyName>, at: SystemTime) {
        self.metrics.record_feedback();
        if let Some(log) = &self.decision_log {
            log.record_feedback(&FeedbackRecord::new(rating, key, at));
        }
    }

    /// Records pending requests until telemetry is closed. Meant for a dedicated thread; without
    /// one, requests are recorded once many are pending. May be called again after a panic.
    pub fn run(&self) {
        while self.pending.wait() {
            self.record_pending();
        }
    }

    /// Records everything that is pending, and ends [`run`](Self::run).
    pub fn close(&self) {
        self.pending.close();
        self.record_pending();
    }

    /// Records everything that is pending.
    pub fn record_pending(&self) {
        let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        self.pending.take(&mut batch);
        for request in batch.drain(..) {
            // A panic loses the record and spans of one request, not those of the whole batch.
            if catch_unwind(AssertUnwindSafe(|| self.record(request))).is_err() {
                self.metrics.record_dropped(QueueLabel::DecisionLog, u64::from(self.decision_log.is_some()));
            }
        }
    }

    /// Adds a request to the decision log and to the spans.
    fn record(&self, EndedRequest { history, content }: EndedRequest) {
        let content = content.as_deref();
        if let Some(log) = &self.decision_log {
            log.record(&history, content);
        }
        if let Some(traces) = &self.traces {
            traces.record(&history, content);
        }
    }

    /// Returns whether the decision log or the spans include a request.
    fn is_recorded(&self, history: &History) -> bool {
        self.decision_log.as_ref().is_some_and(|log| log.wants(&history.outcome.id))
            || self.traces.as_ref().is_some_and(|traces| traces.wants(history.trace))
    }
}

#[cfg(test)]
mod tests;
