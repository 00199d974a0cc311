//! Answers as the API writes them: a whole one, or an event of a stream.

use pointsman_wire::usage_count::{UsageCount, UsageMember};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::form::{Document, DocumentContent, MediaSource, PartContent, StopReason};

/// `GenerateContentResponse`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GenerateContentResponse<'a> {
    #[serde(borrow)]
    pub(super) candidates: Option<Vec<Candidate<'a>>>,
    #[serde(borrow)]
    pub(super) prompt_feedback: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) usage_metadata: Option<&'a RawValue>,
    pub(super) model_version: Option<String>,
    pub(super) response_id: Option<String>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
}

/// One of several answers.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate<'a> {
    pub(super) index: Option<u32>,
    #[serde(borrow)]
    pub(super) content: Option<Content<'a>>,
    #[serde(borrow)]
    pub(super) finish_reason: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) citation_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) grounding_metadata: Option<&'a RawValue>,
}

/// Parts of an answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Content<'a> {
    #[serde(borrow)]
    pub(super) parts: Option<Vec<&'a RawValue>>,
}

/// Part of an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResponsePart<'a> {
    pub(super) text: Option<String>,
    pub(super) thought: Option<bool>,
    pub(super) thought_signature: Option<String>,
    #[serde(borrow)]
    pub(super) function_call: Option<FunctionCall<'a>>,
    pub(super) inline_data: Option<InlineData>,
    pub(super) file_data: Option<FileData>,
}

/// Call of a function.
#[derive(Debug, Default, Deserialize)]
pub(super) struct FunctionCall<'a> {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    #[serde(borrow)]
    pub(super) args: Option<&'a RawValue>,
}

/// Media in the answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InlineData {
    mime_type: Option<String>,
    data: String,
}

/// Media at a URI.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileData {
    mime_type: Option<String>,
    file_uri: String,
}

impl InlineData {
    /// Returns the media in the common form.
    pub(super) fn into_content(self) -> PartContent {
        let media_type = self.mime_type.unwrap_or_else(|| "application/octet-stream".into());
        media(media_type.clone(), MediaSource::Base64 { media_type, data: self.data })
    }
}

impl FileData {
    /// Returns the media in the common form.
    pub(super) fn into_content(self) -> PartContent {
        let source = MediaSource::Url { url: self.file_uri, media_type: self.mime_type.clone() };
        media(self.mime_type.unwrap_or_default(), source)
    }
}

fn media(media_type: String, source: MediaSource) -> PartContent {
    match media_type.split('/').next() {
        Some("image") => PartContent::Image { source, detail: None },
        Some("audio") => PartContent::Audio(source),
        Some("video") => PartContent::Video(source),
        _ => PartContent::Document(Document {
            content: DocumentContent::Media(source),
            title: None,
            context: None,
            with_citations: false,
            search_source: None,
        }),
    }
}

/// Returns whether the prompt was blocked. There is no answer then.
pub(super) fn is_blocked(prompt_feedback: &RawValue) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct PromptFeedback<'a> {
        #[serde(borrow)]
        block_reason: Option<&'a RawValue>,
    }

    serde_json::from_str::<PromptFeedback<'_>>(prompt_feedback.get())
        .is_ok_and(|feedback| feedback.block_reason.is_some())
}

/// Returns the reason why the model stopped; `None` if it has not. Some versions of the API write
/// the number in place of the name.
pub(super) fn stop_reason(finish_reason: &RawValue) -> Option<StopReason> {
    let text = finish_reason.get();
    let reason = serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned());
    Some(match &*reason {
        "" | "0" | "FINISH_REASON_UNSPECIFIED" => return None,
        "1" | "STOP" => StopReason::Complete,
        // A continuation has reached the limit of one answer.
        "2" | "MAX_TOKENS" | "CONTINUATION" => StopReason::MaxTokens,
        "3"
        | "4"
        | "7"
        | "8"
        | "9"
        | "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "MODEL_ARMOR"
        | "ESCALATION"
        | "PUP_LIMITED_DISABLED" => StopReason::ContentFilter,
        _ => StopReason::Other(reason),
    })
}

/// Returns the tokens of an answer. The API counts results of its own tools beside the prompt, and
/// reasoning beside the answer.
pub(super) fn usage_count(usage_metadata: &RawValue) -> UsageCount {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct UsageMetadata {
        prompt_token_count: Option<u64>,
        tool_use_prompt_token_count: Option<u64>,
        cached_content_token_count: Option<u64>,
        candidates_token_count: Option<u64>,
        thoughts_token_count: Option<u64>,
        total_token_count: Option<u64>,
    }

    let stated: UsageMetadata = serde_json::from_str(usage_metadata.get()).unwrap_or_default();
    let sum = |one: Option<u64>, other: Option<u64>| match (one, other) {
        (None, None) => None,
        (one, other) => one.unwrap_or(0).checked_add(other.unwrap_or(0)),
    };
    let input =
        stated.prompt_token_count.and_then(|prompt| sum(Some(prompt), stated.tool_use_prompt_token_count));
    let counts = [
        (UsageMember::Input, input),
        (UsageMember::Output, sum(stated.candidates_token_count, stated.thoughts_token_count)),
        (UsageMember::Cached, stated.cached_content_token_count),
        (UsageMember::Reasoning, stated.thoughts_token_count),
        (UsageMember::Total, stated.total_token_count),
    ];
    let mut count = UsageCount::NONE;
    for (member, stated) in counts {
        if let Some(stated) = stated {
            count.set(member, stated);
        }
    }
    count
}
