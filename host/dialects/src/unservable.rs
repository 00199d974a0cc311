//! The error for a request that no model of its route can serve.

use pointsman_domain::candidate::NoCandidate;
use pointsman_domain::model::{Abilities, Modalities};
use pointsman_domain::serving_error::{ErrorKind, ServingError};

use crate::protocol::Protocol;

/// Names of members and parts in the requests of a protocol.
struct MemberNames {
    content: &'static str,
    image: &'static str,
    audio: &'static str,
    video: &'static str,
    document: &'static str,
    output_format: &'static str,
    reasoning: &'static str,
    log_probabilities: &'static str,
}

impl MemberNames {
    const fn of(protocol: Protocol) -> Self {
        let chat = Self {
            content: "messages",
            image: "an `image_url` part",
            audio: "an `input_audio` part",
            video: "a `video_url` part",
            document: "a `file` part",
            output_format: "response_format",
            reasoning: "reasoning_effort",
            log_probabilities: "logprobs",
        };
        match protocol {
            Protocol::ChatCompletions | Protocol::GenerateContent => chat,
            Protocol::Forwarded(api) => Self { content: api.content_member(), image: "an image", ..chat },
            Protocol::Completions => Self { content: "prompt", ..chat },
            Protocol::Responses => Self {
                content: "input",
                image: "an `input_image` part",
                document: "an `input_file` part",
                output_format: "text.format",
                reasoning: "reasoning.effort",
                log_probabilities: "top_logprobs",
                ..chat
            },
            Protocol::Messages => Self {
                image: "an `image` block",
                document: "a `document` block",
                output_format: "output_config.format",
                reasoning: "thinking",
                ..chat
            },
        }
    }
}

impl Protocol {
    /// Returns the error for a request that no model of its route can serve, in the words of the
    /// protocol.
    pub fn unservable(self, none: &NoCandidate) -> ServingError {
        unservable(self, none)
    }
}

/// Renders the reason why no model can serve a request, with the member of the body that
/// asks for what is missing and the configuration key that would allow it.
fn unservable(protocol: Protocol, none: &NoCandidate) -> ServingError {
    let words = MemberNames::of(protocol);
    let unsupported = |message| ServingError::new(ErrorKind::UnsupportedRequest, message);
    let allow = |key: &str, values: Vec<&str>| {
        format!(
            "if a model does, add {} to `{key}` of its [models.\"…\"] in the configuration",
            listed(&values)
        )
    };
    match none {
        NoCandidate::ContextWindow { .. } => {
            ServingError::new(ErrorKind::ContextLengthExceeded, none.to_string())
                .with_parameter(words.content)
        }
        NoCandidate::Operation(operation) => {
            let allow = allow("operations", vec![&format!("\"{operation}\"")]);
            unsupported(format!("{none}; {allow}"))
        }
        NoCandidate::Inputs(kinds) => {
            let (parts, values): (Vec<_>, Vec<_>) = kinds.iter().map(|kind| words.content_part(kind)).unzip();
            let allow = allow("inputs", values);
            unsupported(format!(
                "{none}, which `{}` {} as {}; {allow}",
                words.content,
                words.verb(),
                listed(&parts)
            ))
            .with_parameter(words.content)
        }
        NoCandidate::Abilities(abilities) | NoCandidate::Combination { abilities, .. } => {
            let (members, values): (Vec<_>, Vec<_>) =
                abilities.iter().map(|ability| words.member(ability)).unzip();
            let asked: Vec<String> = members.iter().map(|member| format!("`{member}`")).collect();
            let asked = listed(&asked.iter().map(String::as_str).collect::<Vec<_>>());
            let verb = if members.len() == 1 { "asks" } else { "ask" };
            let allow = allow("abilities", values);
            let error = unsupported(format!("{none}, which {asked} {verb} for; {allow}"));
            ServingError { parameter: members.first().map(|member| (*member).to_owned()), ..error }
        }
    }
}

impl MemberNames {
    /// Returns the verb that says that the content has something.
    fn verb(&self) -> &'static str {
        if self.content == "messages" { "have" } else { "has" }
    }

    /// Returns the part of a message that holds a kind of content, and the kind's name in the
    /// configuration.
    fn content_part(&self, kind: Modalities) -> (&'static str, &'static str) {
        match kind {
            Modalities::IMAGE => (self.image, "\"image\""),
            Modalities::AUDIO => (self.audio, "\"audio\""),
            Modalities::VIDEO => (self.video, "\"video\""),
            Modalities::DOCUMENT => (self.document, "\"document\""),
            _ => ("text", "\"text\""),
        }
    }

    /// Returns the member of the body that asks for an ability, and the ability's name in the
    /// configuration.
    fn member(&self, ability: Abilities) -> (&'static str, &'static str) {
        match ability {
            Abilities::TOOLS => ("tools", "\"tools\""),
            Abilities::STRUCTURED_OUTPUT => (self.output_format, "\"structured-output\""),
            Abilities::REASONING => (self.reasoning, "\"reasoning\""),
            Abilities::LOG_PROBABILITIES => (self.log_probabilities, "\"log-probabilities\""),
            _ => ("stream", "\"streaming\""),
        }
    }
}

fn listed(names: &[&str]) -> String {
    names.join(" and ")
}
