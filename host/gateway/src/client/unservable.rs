//! The answer to a request that no model of its route can serve.

use pointsman_domain::candidate::NoCandidate;
use pointsman_domain::model::{Abilities, Modalities};

use super::error::ApiError;

/// Renders the reason why no model can serve a request, with the member of the body that
/// asks for what is missing and the configuration key that would allow it.
pub(super) fn unservable(none: &NoCandidate) -> ApiError {
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
        NoCandidate::Abilities(abilities) | NoCandidate::Combination { abilities, .. } => {
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
