//! The error for a request that no model of its route can serve.

use pointsman_domain::candidate::NoCandidate;
use pointsman_domain::model::{Abilities, Modalities};
use pointsman_domain::serving_error::{ErrorKind, ServingError};

/// Renders the reason why no model can serve a request, with the member of the body that
/// asks for what is missing and the configuration key that would allow it.
pub fn unservable(none: &NoCandidate) -> ServingError {
    let unsupported = |message| ServingError::new(ErrorKind::UnsupportedRequest, message);
    let allow = |key: &str, values: Vec<&str>| {
        format!(
            "if a model does, add {} to `{key}` of its [models.\"…\"] in the configuration",
            listed(&values)
        )
    };
    match none {
        NoCandidate::ContextWindow { .. } => {
            ServingError::new(ErrorKind::ContextLengthExceeded, none.to_string()).with_parameter("messages")
        }
        NoCandidate::Operation(_) => unsupported(none.to_string()),
        NoCandidate::Inputs(kinds) => {
            let (parts, values): (Vec<_>, Vec<_>) = kinds.iter().map(content_part).unzip();
            let allow = allow("inputs", values);
            unsupported(format!("{none}, which `messages` have as {}; {allow}", listed(&parts)))
                .with_parameter("messages")
        }
        NoCandidate::Abilities(abilities) | NoCandidate::Combination { abilities, .. } => {
            let (members, values): (Vec<_>, Vec<_>) = abilities.iter().map(member).unzip();
            let asked: Vec<String> = members.iter().map(|member| format!("`{member}`")).collect();
            let asked = listed(&asked.iter().map(String::as_str).collect::<Vec<_>>());
            let verb = if members.len() == 1 { "asks" } else { "ask" };
            let allow = allow("abilities", values);
            let error = unsupported(format!("{none}, which {asked} {verb} for; {allow}"));
            ServingError { parameter: members.first().map(|member| (*member).to_owned()), ..error }
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
