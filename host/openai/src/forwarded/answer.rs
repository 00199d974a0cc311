//! Whole answers.

use std::borrow::Cow;

use pointsman_wire::answer::{AnswerCount, InvalidAnswer, ReportedError, TaskOutput};
use pointsman_wire::openai::provider::classify_error;
use pointsman_wire::usage_count::UsageCount;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::api::ForwardedApi;
use super::usage::UsageMembers;

/// Members of an answer that are read.
#[derive(Debug, Default, Deserialize)]
struct AnswerMembers<'a> {
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    created: Option<&'a RawValue>,
    #[serde(borrow)]
    results: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
}

/// Reads the token counts of a whole answer.
///
/// # Errors
/// Fails if it is not an answer of the API, or reports an error.
pub fn read_answer(api: ForwardedApi, answer: &[u8]) -> Result<AnswerCount, InvalidAnswer> {
    if is_plain_text(api, answer) {
        return Ok(AnswerCount { count: UsageCount::NONE, output_bytes: answer.len() as u64 });
    }
    let members = parse(api, answer)?;
    Ok(members.count(api))
}

/// Reads the text of a whole answer; `None` if it is of another kind.
pub fn read_answer_text(api: ForwardedApi, answer: &[u8]) -> Option<TaskOutput> {
    if !matches!(api, ForwardedApi::Transcriptions | ForwardedApi::Translations) {
        return None;
    }
    if is_plain_text(api, answer) {
        let text = String::from_utf8_lossy(answer).into_owned();
        let count = AnswerCount { count: UsageCount::NONE, output_bytes: answer.len() as u64 };
        return Some(TaskOutput { text, finish_reason: None, count });
    }
    let members = parse(api, answer).ok()?;
    let count = members.count(api);
    Some(TaskOutput { text: members.text?.into_owned(), finish_reason: None, count })
}

/// Reads the first image of an answer as a URL, which has the content if the server sent it.
///
/// # Errors
/// Fails if there is no image, or the answer reports an error.
pub fn read_image_output(answer: &[u8]) -> Result<TaskOutput, InvalidAnswer> {
    #[derive(Deserialize)]
    struct Image<'a> {
        #[serde(borrow)]
        url: Option<Cow<'a, str>>,
        #[serde(borrow)]
        b64_json: Option<Cow<'a, str>>,
    }

    #[derive(Deserialize)]
    struct Format<'a> {
        #[serde(borrow)]
        output_format: Option<Cow<'a, str>>,
    }

    let members = parse(ForwardedApi::ImageGenerations, answer)?;
    let no_image = || InvalidAnswer::WrongShape("it has no image in data[0]".to_owned());
    let images: Vec<Image<'_>> =
        members.data.and_then(|data| serde_json::from_str(data.get()).ok()).ok_or_else(no_image)?;
    let format = serde_json::from_slice::<Format<'_>>(answer).ok().and_then(|format| format.output_format);
    let text = match images.into_iter().next() {
        Some(Image { url: Some(url), .. }) => url.into_owned(),
        Some(Image { b64_json: Some(content), .. }) => {
            format!("data:image/{};base64,{content}", format.as_deref().unwrap_or("png"))
        }
        _ => return Err(no_image()),
    };
    Ok(TaskOutput { text, finish_reason: None, count: members.count(ForwardedApi::ImageGenerations) })
}

/// Reads the first judgement of an answer, as its JSON.
///
/// # Errors
/// Fails if there is none, or the answer reports an error.
pub fn read_moderation_output(answer: &[u8]) -> Result<TaskOutput, InvalidAnswer> {
    let members = parse(ForwardedApi::Moderations, answer)?;
    let results: Option<Vec<&RawValue>> =
        members.results.and_then(|results| serde_json::from_str(results.get()).ok());
    let first = results.and_then(|results| results.into_iter().next());
    let first =
        first.ok_or_else(|| InvalidAnswer::WrongShape("it has no judgement in results[0]".to_owned()))?;
    let count = members.count(ForwardedApi::Moderations);
    Ok(TaskOutput { text: first.get().to_owned(), finish_reason: None, count })
}

/// Returns whether an answer is text in one of the formats that a client may request.
fn is_plain_text(api: ForwardedApi, answer: &[u8]) -> bool {
    matches!(api, ForwardedApi::Transcriptions | ForwardedApi::Translations)
        && !answer.trim_ascii_start().starts_with(b"{")
}

fn parse(api: ForwardedApi, answer: &[u8]) -> Result<AnswerMembers<'_>, InvalidAnswer> {
    let members: AnswerMembers<'_> =
        serde_json::from_slice(answer).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => InvalidAnswer::WrongShape(error.to_string()),
            _ => InvalidAnswer::NotJson(error.to_string()),
        })?;
    let is_set = |member: &Option<&RawValue>| member.is_some_and(|value| value.get() != "null");
    if is_set(&members.error) {
        // OpenAI's errors have no status in their body.
        let cause = classify_error(500, answer);
        return Err(InvalidAnswer::Reported(ReportedError { status: None, cause }));
    }
    let (content, name) = match api {
        ForwardedApi::Embeddings => (is_set(&members.data), "data"),
        // An answer may have no image, and is paid for nevertheless.
        ForwardedApi::ImageGenerations | ForwardedApi::ImageEdits => {
            (is_set(&members.data) || is_set(&members.created), "created")
        }
        ForwardedApi::Moderations => (is_set(&members.results), "results"),
        ForwardedApi::Transcriptions | ForwardedApi::Translations => (members.text.is_some(), "text"),
        ForwardedApi::Speech => (false, "sound"),
    };
    match content {
        true => Ok(members),
        false => Err(InvalidAnswer::WrongShape(format!("it has no `{name}`"))),
    }
}

impl AnswerMembers<'_> {
    fn count(&self, api: ForwardedApi) -> AnswerCount {
        let usage = self.usage.and_then(|usage| serde_json::from_str::<UsageMembers<'_>>(usage.get()).ok());
        let has_output = !matches!(api, ForwardedApi::Embeddings | ForwardedApi::Moderations);
        AnswerCount {
            count: usage.map_or(UsageCount::NONE, |usage| usage.count(has_output)),
            output_bytes: self.text.as_ref().map_or(0, |text| text.len() as u64),
        }
    }
}

#[cfg(test)]
mod tests;
