//! Log lines about requests: one function for each event.
//!
//! Each line names its decision. None contains a prompt, a key or the words of a model, and its
//! texts are bounded. Events that every request can cause are throttled, and a line then reports
//! how many were suppressed (`left_out`).

use pointsman_domain::failure::FailureKind;
use pointsman_domain::history::History;
use pointsman_domain::ids::ModelId;

/// Most bytes of a text of foreign origin, such as an error or a policy's message.
const MAX_TEXT_BYTES: usize = 1_024;

/// A failed call of a policy.
#[derive(Clone, Copy, Debug)]
pub struct PolicyCallFailure<'a> {
    /// Kind of the call.
    pub kind: PolicyCallKind,
    /// Id of the decision.
    pub decision: &'a str,
    /// Version of the policy, `name@digest`.
    pub policy: &'a str,
    /// Kind of failure, from a fixed list.
    pub reason: &'static str,
    /// Details.
    pub message: &'a str,
}

/// Kind of a call of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyCallKind {
    /// A decision that the gateway follows.
    Decide,
    /// A decision of a policy in shadow.
    Shadow,
    /// The report of an outcome.
    Observe,
    /// The report of a rating.
    Rate,
}

impl PolicyCallKind {
    /// Returns the beginning of the log line about a failure.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Decide => "a policy failed",
            Self::Shadow => "a policy in shadow failed",
            Self::Observe => "a policy failed to observe",
            Self::Rate => "a policy failed to take a rating",
        }
    }
}

pub(crate) fn log_policy_failure(failure: &PolicyCallFailure<'_>, suppressed: u64) {
    let PolicyCallFailure { kind, decision, policy, reason, message } = *failure;
    let left_out = (suppressed > 0).then_some(suppressed);
    tracing::warn!(decision, policy, reason, left_out, "{}: {}", kind.as_str(), cut(message));
}

/// A failed call of a model.
#[derive(Clone, Copy, Debug)]
pub struct AttemptFailure<'a> {
    /// Id of the decision.
    pub decision: &'a str,
    /// Number of the plan's task that the call was made for.
    pub task: Option<usize>,
    /// Model that was called.
    pub model: &'a ModelId,
    /// Cause.
    pub kind: &'a FailureKind,
}

pub(crate) fn log_attempt_failure(failure: &AttemptFailure<'_>, suppressed: u64) {
    let AttemptFailure { decision, task, model, kind } = *failure;
    let left_out = (suppressed > 0).then_some(suppressed);
    tracing::info!(decision, task, %model, left_out, "an attempt failed: {}", cut(&kind.to_string()));
}

pub(crate) fn log_token_count_failure(model: &ModelId, kind: &FailureKind, suppressed: u64) {
    let left_out = (suppressed > 0).then_some(suppressed);
    let message = "the provider did not count the tokens of a request";
    tracing::info!(%model, left_out, "{message}: {}", cut(&kind.to_string()));
}

pub(crate) fn log_history_failure(error: &str, unstored_steps: usize, suppressed: u64) {
    let left_out = (suppressed > 0).then_some(suppressed);
    let message =
        "the history of usage cannot be stored, and is kept in memory until it can, for a day at most";
    tracing::error!(unstored_steps, left_out, "{message}: {}", cut(error));
}

pub(crate) fn log_task_failure(decision: &str, task: &str, error: &str) {
    tracing::debug!(decision, task, "a task failed: {}", cut(error));
}

pub(crate) fn log_dropped_outcome(decision: &str, policy: &str) {
    tracing::debug!(
        decision,
        policy,
        "an outcome was dropped: policies observe more slowly than requests end"
    );
}

pub(crate) fn log_request(history: &History) {
    let outcome = &history.outcome;
    tracing::debug!(
        decision = %outcome.id,
        route = %history.route,
        label = %outcome.label,
        model = outcome.model.as_ref().map_or("-", ModelId::as_str),
        ending = outcome.ending.as_str(),
        fault = outcome.fault.map(|fault| fault.as_str()),
        attempts = outcome.attempts,
        input_tokens = outcome.usage.input_tokens,
        output_tokens = outcome.usage.output_tokens,
        cost_usd = %outcome.cost,
        latency_ms = outcome.latency.as_millis() as u64,
        error = outcome.error.as_deref().map(cut),
        "request ended"
    );
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_at_a_character_boundary() {
        let text = format!("x{}", "ü".repeat(MAX_TEXT_BYTES));
        assert_eq!(cut(&text).len(), MAX_TEXT_BYTES - 1);
        assert_eq!(cut("short"), "short");
    }
}
