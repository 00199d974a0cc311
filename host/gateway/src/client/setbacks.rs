//! What a client is told when its request came to nothing.

use pointsman_domain::candidate::NoCandidate;
use pointsman_domain::decision::Refusal;
use pointsman_domain::model::{Abilities, Modalities};

use super::error::ApiError;
use super::headers::Told;
use crate::memory::OutOfMemory;
use crate::proxy::choose::NoChoice;
use crate::proxy::plan::{Stopped, TaskFailure};
use crate::proxy::race::Exhausted;

/// Nobody decided.
pub(super) fn not_chosen(no_choice: NoChoice, told: &mut Told) -> ApiError {
    match no_choice {
        NoChoice::NoCandidate(none) => no_candidate(&none),
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

/// Renders the reason why no model can serve a request, with the member of the body that
/// asks for what is missing and the configuration key that would allow it.
pub(super) fn no_candidate(none: &NoCandidate) -> ApiError {
    let unsupported = |param, message| ApiError::bad_request("unsupported_request", param, message);
    let allow = |key: &str, values: Vec<&str>| {
        format!(
            "if a model does, add {} to `{key}` of its [models.\"…\"] in the configuration",
            listed(&values)
        )
    };
    match none {
        NoCandidate::ContextWindow { .. } => {
            ApiError::bad_request("context_length_exceeded", Some("messages".to_owned()), none.to_string())
        }
        NoCandidate::Operation(_) => unsupported(None, none.to_string()),
        NoCandidate::Inputs(kinds) => {
            let (parts, values): (Vec<_>, Vec<_>) = kinds.iter().map(content_part).unzip();
            let allow = allow("inputs", values);
            unsupported(
                Some("messages".to_owned()),
                format!("{none}, which `messages` have as {}; {allow}", listed(&parts)),
            )
        }
        NoCandidate::Abilities(abilities) => {
            let (members, values): (Vec<_>, Vec<_>) = abilities.iter().map(member).unzip();
            let asked: Vec<String> = members.iter().map(|member| format!("`{member}`")).collect();
            let asked = listed(&asked.iter().map(String::as_str).collect::<Vec<_>>());
            let verb = if members.len() == 1 { "asks" } else { "ask" };
            let allow = allow("abilities", values);
            unsupported(
                members.first().map(|member| (*member).to_owned()),
                format!("{none}, which {asked} {verb} for; {allow}"),
            )
        }
    }
}

/// The parts of a message that hold a kind of content, and the kind's name in the configuration.
fn content_part(kind: Modalities) -> (&'static str, &'static str) {
    match kind {
        Modalities::IMAGE => ("an `image_url` part", "\"image\""),
        Modalities::AUDIO => ("an `input_audio` part", "\"audio\""),
        Modalities::VIDEO => ("a `video_url` part", "\"video\""),
        Modalities::DOCUMENT => ("a `file` part", "\"document\""),
        _ => ("text", "\"text\""),
    }
}

/// The member of the body that asks for an ability, and the ability's name in the configuration.
fn member(ability: Abilities) -> (&'static str, &'static str) {
    match ability {
        Abilities::TOOLS => ("tools", "\"tools\""),
        Abilities::STRUCTURED_OUTPUT => ("response_format", "\"structured-output\""),
        Abilities::REASONING => ("reasoning_effort", "\"reasoning\""),
        Abilities::LOG_PROBABILITIES => ("logprobs", "\"log-probabilities\""),
        _ => ("stream", "\"streaming\""),
    }
}

fn listed(names: &[&str]) -> String {
    names.join(" and ")
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
        Stopped::Task { name, why, cause: TaskFailure::OverLimit } => {
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
