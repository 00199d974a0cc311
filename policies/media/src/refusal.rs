//! Refusals with messages for the client.

use pointsman_sdk::{Abilities, Modalities, Refusal, Request};

/// Refuses a request that cannot be split, and that no model can serve whole.
pub(crate) fn cannot_be_cut(request: &Request) -> Refusal {
    let media = request.inputs - (Modalities::TEXT | Modalities::IMAGE | Modalities::AUDIO);
    if media.is_empty() {
        return refused(format!("no model of this route can be called for {} with it", request.operation));
    }
    let kinds = listed(media.iter_names().map(|(name, _)| name));
    refused(format!(
        "no model of this route can serve a request with {kinds}; hint: only text, pictures and recordings are \
         given to different models"
    ))
}

/// No model takes all of it, and there is nothing to cut off.
pub(crate) fn nothing_to_cut() -> Refusal {
    refused(
        "no model of this route can serve the whole request; hint: only pictures and recordings in messages \
         of the user are given to other models"
            .to_owned(),
    )
}

/// Text is not cut.
pub(crate) fn too_long() -> Refusal {
    refused("the request is too long for every model of this route".to_owned())
}

/// No model takes what is of this kind.
pub(crate) fn nobody_reads(what: &str) -> Refusal {
    refused(format!("no model of this route takes {what}; hint: add one, or send the request without"))
}

/// No model can answer.
pub(crate) fn nobody_answers(needs: Abilities) -> Refusal {
    if needs.is_empty() {
        return refused("no model of this route can answer in text".to_owned());
    }
    let needs = listed(needs.iter_names().map(|(name, _)| name));
    refused(format!("no model of this route can answer with {needs}"))
}

fn refused(message: String) -> Refusal {
    Refusal::NoCandidate(message)
}

/// `video and document`, `structured output`
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| name.to_ascii_lowercase().replace('_', " ")).collect();
    names.join(" and ")
}
