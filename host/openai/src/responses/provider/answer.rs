//! Parsing of whole answers.

use pointsman_wire::usage_count::{UsageCount, UsageMember};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::item::{self, AnswerPart};
use crate::form::{
    AnswerStart, ConversationAnswer, InvalidAnswer, Part, PartContent, ProviderError, ProviderErrorKind,
    Signature, StopReason,
};
use crate::responses::error;
use crate::responses::signed_content::SignedPart;

/// Most items of a response whose ids are read.
const MAX_ITEM_IDS: usize = 256;

/// Parses the body of a response with a good status.
///
/// # Errors
/// Fails if it is not a response object, has failed, or is not complete yet.
pub fn parse_answer(body: &[u8]) -> Result<ConversationAnswer, InvalidAnswer> {
    let response = ResponseBody::parse(body)?;
    if let Some(error) = response.failure() {
        return Err(InvalidAnswer::Reported(error));
    }
    if let Some(status) = response.status.as_deref().filter(|_| !response.is_complete()) {
        return Err(InvalidAnswer::WrongShape(format!("its status is `{status}`: it is not complete")));
    }
    if response.output.is_none() {
        return Err(InvalidAnswer::WrongShape("it has no `output`".to_owned()));
    }
    let answer = content(&response);
    if answer.parts.is_empty() && response.status.is_none() {
        return Err(InvalidAnswer::Empty);
    }
    Ok(answer)
}

/// Returns the content of a response, as far as it is complete.
pub(in crate::responses) fn content(response: &ResponseBody<'_>) -> ConversationAnswer {
    let mut parts = Vec::new();
    for part in response.output.iter().flatten().flat_map(|item| item::parse(item)) {
        match part {
            AnswerPart::Part(part) => parts.push(*part),
            AnswerPart::Signature(signature, target) => sign(&mut parts, signature, &target),
        }
    }
    let has_calls = parts.iter().any(|part| matches!(part.content, PartContent::ToolCall(_)));
    let AnswerStart { id, created, model } = response.start();
    ConversationAnswer { id, created, model, parts, stop: response.stop(has_calls), count: response.count() }
}

/// Adds a signature to the part that it belongs to.
fn sign(parts: &mut [Part], signature: Signature, target: &SignedPart) {
    let is_target = |part: &&mut Part| match (target, &part.content) {
        (SignedPart::Call(id), PartContent::ToolCall(call)) => call.id == *id,
        (SignedPart::Text, PartContent::Text { .. }) => true,
        _ => false,
    };
    if let Some(part) = parts.iter_mut().rev().find(is_target) {
        part.signature = Some(signature);
    }
}

/// Members of a response object that are read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::responses) struct ResponseBody<'a> {
    pub id: Option<String>,
    created_at: Option<f64>,
    model: Option<String>,
    pub status: Option<String>,
    #[serde(borrow)]
    pub output: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    incomplete_details: Option<IncompleteDetails>,
    #[serde(borrow)]
    usage: Option<UsageBody<'a>>,
}

/// Id of an item, whose other members may be large.
#[derive(Deserialize)]
struct ItemId {
    id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct IncompleteDetails {
    reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UsageBody<'a> {
    #[serde(borrow)]
    input_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    input_tokens_details: Option<InputDetails<'a>>,
    #[serde(borrow)]
    output_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    output_tokens_details: Option<OutputDetails<'a>>,
    #[serde(borrow)]
    total_tokens: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InputDetails<'a> {
    #[serde(borrow)]
    cached_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    cache_write_tokens: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails<'a> {
    #[serde(borrow)]
    reasoning_tokens: Option<&'a RawValue>,
}

impl<'a> ResponseBody<'a> {
    /// Parses a response object.
    pub fn parse(body: &'a [u8]) -> Result<Self, InvalidAnswer> {
        serde_json::from_slice(body).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => InvalidAnswer::WrongShape(error.to_string()),
            _ => InvalidAnswer::NotJson(error.to_string()),
        })
    }

    /// Returns the error that the response reports, if it does.
    pub fn failure(&self) -> Option<ProviderError> {
        let reported = self.error.and_then(|error| error::parse_object(error, None));
        if reported.is_some() {
            return reported;
        }
        let status @ ("failed" | "cancelled") = self.status.as_deref()? else { return None };
        Some(ProviderError {
            kind: ProviderErrorKind::Server,
            status: 500,
            message: format!("the response is {status}"),
            code: None,
            parameter: None,
            retry_after: None,
        })
    }

    /// Returns the ids of its items.
    pub fn item_ids(&self) -> Vec<String> {
        let id = |item: &&RawValue| serde_json::from_str::<ItemId>(item.get()).ok()?.id;
        self.output.iter().flatten().filter_map(id).take(MAX_ITEM_IDS).collect()
    }

    /// Returns whether nothing is to follow.
    pub fn is_complete(&self) -> bool {
        !matches!(self.status.as_deref(), Some("queued" | "in_progress"))
    }

    /// Returns the head of the answer.
    pub fn start(&self) -> AnswerStart {
        AnswerStart {
            id: self.id.clone().unwrap_or_default(),
            // Whole seconds; some servers write them with a fraction.
            created: self.created_at.filter(|time| *time >= 0.0).map(|time| time as u64),
            model: self.model.clone().unwrap_or_default(),
        }
    }

    /// Returns the reason why the answer ended.
    pub fn stop(&self, has_calls: bool) -> StopReason {
        if self.status.as_deref() != Some("incomplete") {
            return if has_calls { StopReason::ToolCalls } else { StopReason::Complete };
        }
        match self.incomplete_details.as_ref().and_then(|details| details.reason.as_deref()) {
            // A limit of tokens is the only reason that some servers know, and do not state.
            None | Some("max_output_tokens") => StopReason::MaxTokens,
            Some("content_filter") => StopReason::ContentFilter,
            Some(other) => StopReason::Other(other.to_owned()),
        }
    }

    /// Returns the tokens that the provider counted.
    pub fn count(&self) -> UsageCount {
        let mut count = UsageCount::NONE;
        let Some(usage) = &self.usage else { return count };
        let input = usage.input_tokens_details.as_ref();
        let output = usage.output_tokens_details.as_ref();
        let members = [
            (UsageMember::Input, usage.input_tokens),
            (UsageMember::Cached, input.and_then(|details| details.cached_tokens)),
            (UsageMember::CacheWrite, input.and_then(|details| details.cache_write_tokens)),
            (UsageMember::Output, usage.output_tokens),
            (UsageMember::Reasoning, output.and_then(|details| details.reasoning_tokens)),
            (UsageMember::Total, usage.total_tokens),
        ];
        for (member, value) in members {
            if let Some(value) = value {
                count.record(member, value.get().as_bytes());
            }
        }
        count
    }
}

#[cfg(test)]
mod tests;
