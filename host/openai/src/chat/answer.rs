//! Parsing of whole answers.

mod content;
mod message;

use pointsman_wire::usage_count::UsageCount;
use serde_json::value::RawValue;

use super::finish_reason::{parse_finish_reason, refine};
use super::provider_error::reported_error;
use super::usage::parse_usage;
use crate::form::{Citation, ConversationAnswer, InvalidAnswer, Part, PartContent, StopReason};
use crate::json::ObjectMembers;

pub(super) use self::content::{AnswerChunk, content_chunks, images};
pub(super) use self::message::{
    CallDelta, call_id, extra_signature, reasoning_details, reasoning_text, string, transcript,
};

/// Parses a whole answer. Of several choices it is the first.
///
/// # Errors
/// Fails if it is no answer, has no content, or reports an error.
pub fn parse_answer(body: &[u8]) -> Result<ConversationAnswer, InvalidAnswer> {
    let mut members = answer_members(body)?;
    let choice = first_choice(&mut members)?;
    let mut choice = serde_json::from_str::<ObjectMembers<'_>>(choice.get())
        .map_err(|_| InvalidAnswer::WrongShape("its choice is no object".to_owned()))?;
    if let Some(error) = choice.get("error").and_then(|_| reported_error(body)) {
        return Err(InvalidAnswer::Reported(error));
    }
    let id = string(&mut members, "id").unwrap_or_default();
    let message = choice.take("message").or_else(|| choice.take("delta"));
    let message = message.and_then(|message| serde_json::from_str(message.get()).ok());
    let mut parts = message.map(|message| message::parse(message, &id)).unwrap_or_default();
    add_sources(&mut members, &mut parts);
    let stop = stop_reason(&mut choice);
    if parts.is_empty() && stop.is_none() {
        return Err(InvalidAnswer::Empty);
    }
    Ok(ConversationAnswer {
        stop: refined(stop, &parts),
        count: usage(&mut members, Some(&mut choice)),
        created: members.take("created").and_then(seconds),
        model: string(&mut members, "model").unwrap_or_default(),
        id,
        parts,
    })
}

/// Parses the object of an answer, unless it reports an error.
///
/// # Errors
/// Fails if it is no object, or reports an error.
pub(crate) fn answer_members(body: &[u8]) -> Result<ObjectMembers<'_>, InvalidAnswer> {
    if let Err(error) = serde_json::from_slice::<&RawValue>(body) {
        return Err(InvalidAnswer::NotJson(error.to_string()));
    }
    if let Some(error) = reported_error(body) {
        return Err(InvalidAnswer::Reported(error));
    }
    ObjectMembers::parse_answer(body)
        .ok_or_else(|| InvalidAnswer::WrongShape("it is no object whose members occur once".to_owned()))
}

/// Removes the choices, and returns the first one.
///
/// # Errors
/// Fails if there is none.
pub(crate) fn first_choice<'a>(members: &mut ObjectMembers<'a>) -> Result<&'a RawValue, InvalidAnswer> {
    let choices = members.take("choices").and_then(|value| serde_json::from_str(value.get()).ok());
    let choices: Vec<&RawValue> = choices.unwrap_or_default();
    choices.into_iter().next().ok_or_else(|| InvalidAnswer::WrongShape("it has no choices".to_owned()))
}

/// Returns the reason why a choice ended, if it states one.
pub(crate) fn stop_reason(choice: &mut ObjectMembers<'_>) -> Option<StopReason> {
    let stop = parse_finish_reason(&string(choice, "finish_reason")?)?;
    // vLLM and others name the text that ended the answer.
    match (stop, string(choice, "stop_reason")) {
        (StopReason::Complete, Some(text)) if !matches!(&*text, "stop" | "end_turn" | "eos") => {
            Some(StopReason::StopSequence(Some(text)))
        }
        (stop, _) => Some(stop),
    }
}

fn refined(stop: Option<StopReason>, parts: &[Part]) -> StopReason {
    let has = |is_kind: fn(&PartContent) -> bool| parts.iter().any(|part| is_kind(&part.content));
    let has_calls = has(|content| matches!(content, PartContent::ToolCall(_)));
    refine(stop, has_calls, has(|content| matches!(content, PartContent::Refusal(_))))
}

/// Returns the counts of an answer or an event, from all places where providers write them.
pub(crate) fn usage(members: &mut ObjectMembers<'_>, choice: Option<&mut ObjectMembers<'_>>) -> UsageCount {
    let mut count = UsageCount::default();
    let groq = members.take("x_groq").and_then(|value| serde_json::from_str(value.get()).ok());
    let of_groq = groq.and_then(|mut groq: ObjectMembers<'_>| groq.take("usage"));
    let of_choice = choice.and_then(|choice| choice.take("usage"));
    for value in [of_groq, of_choice, members.take("usage")].into_iter().flatten() {
        count.update(parse_usage(value));
    }
    count
}

/// Parses a time in seconds, which some providers write as a float.
pub(crate) fn seconds(value: &RawValue) -> Option<u64> {
    let seconds: f64 = serde_json::from_str(value.get()).ok()?;
    // A conversion of floats saturates.
    (seconds > 0.0).then_some(seconds as u64)
}

/// Adds the sources that some providers list beside the choices to the text.
fn add_sources(members: &mut ObjectMembers<'_>, parts: &mut [Part]) {
    let sources = sources(members);
    let texts = parts.iter_mut().filter_map(|part| match &mut part.content {
        PartContent::Text { citations, .. } => Some(citations),
        _ => None,
    });
    if let Some(citations) = texts.last()
        && citations.is_empty()
    {
        *citations = sources;
    }
}

/// Returns the sources that Perplexity, xAI and others list beside the choices.
pub(super) fn sources(members: &mut ObjectMembers<'_>) -> Vec<Citation> {
    #[derive(serde::Deserialize)]
    struct Source {
        title: Option<String>,
        url: Option<String>,
        snippet: Option<String>,
    }

    let results = members.take("search_results").and_then(|value| serde_json::from_str(value.get()).ok());
    let results: Vec<Source> = results.unwrap_or_default();
    let urls = members.take("citations").and_then(|value| serde_json::from_str(value.get()).ok());
    let urls: Vec<String> = urls.unwrap_or_default();
    if results.is_empty() {
        let citation = |url| Citation { url: Some(url), ..Citation::default() };
        return urls.into_iter().map(citation).collect();
    }
    let citation = |source: Source| Citation {
        cited_text: source.snippet,
        title: source.title,
        url: source.url,
        ..Citation::default()
    };
    results.into_iter().map(citation).collect()
}

#[cfg(test)]
mod tests;
