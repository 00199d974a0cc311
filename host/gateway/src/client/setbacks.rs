//! What a client is told when its request came to nothing.

use pointsman_domain::decision::Refusal;

use super::error::ApiError;
use super::headers::Told;
use super::unservable::unservable;
use crate::memory::OutOfMemory;
use crate::proxy::choose::NoChoice;
use crate::proxy::plan::{Stopped, TaskFailure};
use crate::proxy::race::Exhausted;

/// Nobody decided.
pub(super) fn not_chosen(no_choice: NoChoice, told: &mut Told) -> ApiError {
    match no_choice {
        NoChoice::NoCandidate(none) => unservable(&none),
        NoChoice::Refused { refusal, policy } => {
            told.policy(policy.version());
            refused(refusal)
        }
        NoChoice::Rejected { policy, reason } => {
            told.policy(policy.version());
            ApiError::unavailable(
                "policy_failed",
                format!(
                    "the policy `{}` failed ({reason}), and the route rejects requests then",
                    policy.name()
                ),
            )
        }
        NoChoice::NotLoaded(policy) => ApiError::unavailable(
            "policy_failed",
            format!("the policy `{policy}` is not loaded yet, and the route rejects requests then"),
        ),
    }
}

fn refused(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::NoCandidate(why) => ApiError::unavailable("no_suitable_model", why),
        Refusal::Denied(why) => ApiError::forbidden("policy_denied", why),
    }
}

/// A plan stopped before it came to an answer.
pub(super) fn stopped(stopped: Stopped) -> ApiError {
    match stopped {
        Stopped::Refused(refusal) => refused(refusal),
        Stopped::Task { cause: TaskFailure::NoMemory, .. } => ApiError::overloaded(OutOfMemory.to_string()),
        Stopped::Task { name, why, cause: TaskFailure::PlanLimitExceeded } => {
            ApiError::unavailable("plan_limit", format!("task `{name}` was not begun: {why}"))
        }
        Stopped::Answer(over_limit) => {
            ApiError::unavailable("plan_limit", format!("the answer was not put together: {over_limit}"))
        }
        Stopped::Task { name, why, cause: TaskFailure::NoOutput } => {
            ApiError::task_failed(format!("task `{name}` failed: {why}"))
        }
        Stopped::Policy(failure) => {
            ApiError::unavailable("policy_failed", format!("the policy failed ({})", failure.reason()))
        }
    }
}

/// No model answered.
pub(super) fn all_failed(exhausted: &Exhausted) -> ApiError {
    if exhausted.is_out_of_memory() {
        return ApiError::overloaded(OutOfMemory.to_string());
    }
    let message = format!("no model answered: {}", exhausted.for_client());
    if exhausted.over_limit.is_some() {
        return ApiError::unavailable("plan_limit", message);
    }
    let retry_after = exhausted.failures.iter().filter_map(|(_, failure)| failure.retry_after).min();
    if exhausted.failures.iter().all(|(_, failure)| failure.kind.is_rate_limit())
        && !exhausted.failures.is_empty()
    {
        return ApiError::rate_limited(message).retry_after(retry_after);
    }
    ApiError::bad_gateway(message).retry_after(retry_after)
}
