//! Log lines of what happens to requests: a function for each event.
//!
//! Each says which decision it is about. None has a prompt, a key or a model's words
//! in it, and its texts are bounded. What may come with every request is told
//! once in a while, with the number of those that were left out.

use pointsman_domain::failure::FailureKind;
use pointsman_domain::history::History;
use pointsman_domain::ids::ModelId;

/// Most bytes of a text that comes from outside: an error's, a policy's.
const MOST: usize = 1_024;

/// A policy failed.
#[derive(Clone, Copy, Debug)]
pub struct PolicyFailed<'a> {
    /// What it was asked to do.
    pub asked: Asked,
    /// The decision that it was about.
    pub decision: &'a str,
    /// `name@digest`.
    pub policy: &'a str,
    /// A word of a fixed list.
    pub reason: &'static str,
    /// More of it.
    pub message: &'a str,
}

/// What a policy was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To decide.
    Decide,
    /// To decide in shadow.
    Shadow,
    /// To take note of an outcome.
    Observe,
}

impl Asked {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Decide => "a policy failed",
            Self::Shadow => "a policy in shadow failed",
            Self::Observe => "a policy failed to observe",
        }
    }
}

pub(crate) fn policy_failed(failed: &PolicyFailed<'_>, left_out: u64) {
    let PolicyFailed { asked, decision, policy, reason, message } = *failed;
    let left_out = (left_out > 0).then_some(left_out);
    tracing::warn!(decision, policy, reason, left_out, "{}: {}", asked.as_str(), cut(message));
}

/// A call of a model failed.
#[derive(Clone, Copy, Debug)]
pub struct AttemptFailed<'a> {
    /// The decision that it was made for.
    pub decision: &'a str,
    /// The task that it was made for, by number.
    pub task: Option<usize>,
    /// The model.
    pub model: &'a ModelId,
    /// What happened.
    pub kind: &'a FailureKind,
}

pub(crate) fn attempt_failed(failed: &AttemptFailed<'_>, left_out: u64) {
    let AttemptFailed { decision, task, model, kind } = *failed;
    let left_out = (left_out > 0).then_some(left_out);
    tracing::info!(decision, task, %model, left_out, "an attempt failed: {}", cut(&kind.to_string()));
}

/// A task of a plan failed.
pub(crate) fn task_failed(decision: &str, task: &str, why: &str) {
    tracing::debug!(decision, task, "a task failed: {}", cut(why));
}

/// An outcome found no room on its way to a policy.
pub(crate) fn outcome_dropped(decision: &str, policy: &str) {
    tracing::debug!(
        decision,
        policy,
        "an outcome was dropped: policies observe more slowly than requests end"
    );
}

/// A request has ended.
pub(crate) fn ended(history: &History) {
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
    &text[..text.floor_char_boundary(MOST)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_letters() {
        let text = format!("x{}", "ü".repeat(MOST));
        assert_eq!(cut(&text).len(), MOST - 1);
        assert_eq!(cut("short"), "short");
    }
}
