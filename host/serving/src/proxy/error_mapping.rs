//! Failures of routing, plans and attempts as errors for the client.

use std::time::Duration;

use pointsman_dialects::protocol::Protocol;
use pointsman_domain::decision::Refusal;
use pointsman_domain::failure::FailureKind;
use pointsman_domain::serving_error::{ErrorKind, ServingError};

use super::plan::{PlanError, TaskFailure};
use super::race::NoAnswer;
use super::routing::NotRouted;
use crate::memory::OutOfMemory;

/// `retry-after` when the gateway is out of memory: most requests end sooner.
const OVERLOAD_PAUSE: Duration = Duration::from_secs(1);

impl NotRouted {
    /// Returns the error for a client that uses a protocol.
    pub fn into_error(self, protocol: Protocol) -> ServingError {
        match self {
            Self::NoCandidate(none) => protocol.unservable(&none),
            Self::Refused { refusal, .. } => refused(refusal),
            Self::Rejected { policy, reason } => ServingError::new(
                ErrorKind::PolicyFailed,
                format!(
                    "the policy `{}` failed ({reason}), and the route rejects requests then",
                    policy.name()
                ),
            ),
            Self::NotLoaded(policy) => ServingError::new(
                ErrorKind::PolicyFailed,
                format!("the policy `{policy}` is not loaded yet, and the route rejects requests then"),
            ),
        }
    }
}

fn refused(refusal: Refusal) -> ServingError {
    match refusal {
        Refusal::NoCandidate(why) => ServingError::new(ErrorKind::NoSuitableModel, why),
        Refusal::Denied(why) => ServingError::new(ErrorKind::PolicyDenied, why),
    }
}

impl From<OutOfMemory> for ServingError {
    fn from(out_of_memory: OutOfMemory) -> Self {
        Self::new(ErrorKind::Overloaded, out_of_memory.to_string()).with_retry_after(Some(OVERLOAD_PAUSE))
    }
}

impl From<PlanError> for ServingError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Refused(refusal) => refused(refusal),
            PlanError::Task { cause: TaskFailure::NoMemory, .. } => OutOfMemory.into(),
            PlanError::Task { name, why, cause: TaskFailure::PlanLimit } => {
                Self::new(ErrorKind::PlanLimit, format!("task `{name}` was not begun: {why}"))
            }
            PlanError::Answer(over_limit) => {
                Self::new(ErrorKind::PlanLimit, format!("the answer was not put together: {over_limit}"))
            }
            PlanError::Task { name, why, cause: TaskFailure::NoOutput } => {
                Self::new(ErrorKind::TaskFailed, format!("task `{name}` failed: {why}"))
            }
            PlanError::Policy(failure) => {
                Self::new(ErrorKind::PolicyFailed, format!("the policy failed ({})", failure.reason()))
            }
        }
    }
}

impl From<&NoAnswer> for ServingError {
    fn from(no_answer: &NoAnswer) -> Self {
        if no_answer.is_out_of_memory() {
            return OutOfMemory.into();
        }
        let failures = no_answer.failures.iter().map(|(_, failure)| &failure.kind);
        if let Some(member) = untranslatable(failures) {
            let message = format!(
                "none of the models can be sent this `{member}`: change it or leave it out, use a model whose backend \
                 has the API itself (`apis`), or set `on_untranslatable = \"drop\"` for the route"
            );
            return Self::new(ErrorKind::UnsupportedRequest, message).with_parameter(member);
        }
        let message = format!("no model answered: {}", no_answer.summary());
        if no_answer.over_limit.is_some() {
            return Self::new(ErrorKind::PlanLimit, message);
        }
        let failures = &no_answer.failures;
        let retry_after = failures.iter().filter_map(|(_, failure)| failure.retry_after).min();
        let are_rate_limits = failures.iter().all(|(_, failure)| failure.kind.is_rate_limit());
        let kind = match are_rate_limits && !failures.is_empty() {
            true => ErrorKind::RateLimitExceeded,
            false => ErrorKind::AllModelsFailed,
        };
        Self::new(kind, message).with_retry_after(retry_after)
    }
}

/// Returns the member that none of the models' APIs can express, if that is why all calls failed.
fn untranslatable<'a>(failures: impl Iterator<Item = &'a FailureKind>) -> Option<&'a str> {
    let mut first = None;
    for failure in failures {
        let FailureKind::Untranslatable(member) = failure else { return None };
        first.get_or_insert(member.as_str());
    }
    first
}
