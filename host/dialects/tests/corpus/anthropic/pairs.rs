//! Translations to this API by other projects.

use std::collections::BTreeSet;

use pointsman_dialects::anthropic::render_request;
use pointsman_dialects::form::{ConversationRequest, Losses};
use pointsman_dialects::{chat, responses};
use serde_json::{Value, json};

use super::requests::normalized;
use crate::recorded::{self, TranslationPair};

/// Requests that we translate in another way, by a part of their ids, with the reason.
const OTHER_REQUESTS: [(&str, &str); 16] = [
    ("requests/completions/full.anthropic", "a stop of white space and a schema of any object are rejected"),
    ("requests/completions/reasoning_max.anthropic", "the model reasons adaptively"),
    ("chat-completions_to_anthropic/functionToolsWithReasoningEffortParam", "a budget of their own"),
    ("chat-completions_to_anthropic/textFormatJsonObjectParam", "a forced tool in place of the format"),
    ("chat-completions_to_anthropic/serviceTierParam", "the default tier is the standard one"),
    ("chat-completions_to_anthropic/reasoningEffortMinimalParam", "the limit leaves room for an answer"),
    ("chat-completions_to_anthropic/jsonSchemaMinimumMaximumParam", "limits become a description"),
    ("kong/request/anthropic", "a request without a model is invalid"),
    ("responses_to_anthropic/responsesToolSearchInputParam", "a search for tools by the client is a call"),
    (
        "responses_to_anthropic/responsesFunctionCallOutputWithoutThoughtSignatureParam",
        "a text is not changed",
    ),
    ("responses_to_anthropic/responsesGpt56PersistedReasoningParam", "the limit leaves room for an answer"),
    ("responses_to_anthropic/reasoningSummaryParam", "an effort requests reasoning"),
    ("responses_to_anthropic/textFormatJsonObjectParam", "a forced tool in place of the format"),
    ("responses_to_anthropic/serviceTierParam", "the default tier is the standard one"),
    ("responses_to_anthropic/jsonSchemaMinimumMaximumParam", "limits become a description"),
    ("responses_to_anthropic/complexReasoningRequest", "a budget of their own"),
];

#[test]
fn requests_are_translated_as_other_projects_do() {
    let Some(pairs) = recorded::pairs("request", "openai.chat", "anthropic.messages") else { return };
    let mut others: Vec<_> = others_of(&pairs, |body| chat::parse_request(body).ok()).collect();
    assert!(pairs.len() >= 29);
    let Some(pairs) = recorded::pairs("request", "openai.responses", "anthropic.messages") else { return };
    assert!(pairs.len() >= 23);
    others.extend(others_of(&pairs, |body| {
        responses::parse_request(body).ok().map(|(request, _, losses)| (request, losses))
    }));
    check(others, &OTHER_REQUESTS);
}

/// Checks that exactly the pairs of a table are translated in another way.
fn check(others: Vec<(String, String)>, table: &[(&str, &str)]) {
    let mut unused: BTreeSet<_> = table.iter().map(|(id, _)| *id).collect();
    let mut unknown = Vec::new();
    for (id, difference) in others {
        match table.iter().find(|(known, _)| id.contains(known)) {
            Some((known, _)) => {
                unused.remove(known);
            }
            None => unknown.push(format!("{id}\n{difference}")),
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    assert!(unused.is_empty(), "translated alike by now: {unused:?}");
}

/// Returns the ids of the requests that we translate in another way, with both translations.
fn others_of(
    pairs: &[TranslationPair],
    parse: impl Fn(&[u8]) -> Option<(ConversationRequest, Losses)>,
) -> impl Iterator<Item = (String, String)> {
    pairs.iter().filter_map(move |pair| {
        let expected = &pair.expected["body"];
        let body = serde_json::to_vec(&pair.input["body"]).expect("JSON");
        let Some((mut request, mut losses)) = parse(&body) else {
            return Some((pair.id.clone(), "it does not parse".to_owned()));
        };
        // They choose another model.
        request.model = expected["model"].as_str().unwrap_or_default().to_owned();
        let rendered: Value = serde_json::from_slice(&render_request(&request, &mut losses)).expect("JSON");
        let (expected, rendered) = (comparable(expected), comparable(&rendered));
        let difference = || format!("theirs {expected}\nours   {rendered}\n{losses:?}");
        (expected != rendered).then(|| (pair.id.clone(), difference()))
    })
}

/// Returns a request without differences in notation.
fn comparable(request: &Value) -> Value {
    let mut request = normalized(request);
    if request["thinking"]["display"] == json!("summarized") {
        request["thinking"].as_object_mut().expect("an object").remove("display");
    }
    request
}
