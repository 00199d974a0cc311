//! Facts about whole answers that are forwarded.

use pointsman_domain::failure::ErrorCause;
use pointsman_wire::answer::{AnswerCount, InvalidAnswer, ReportedError, TaskOutput};
use pointsman_wire::openai::provider::classify_error;

use crate::form::{ConversationAnswer, ProviderError, StopReason};
use crate::responses::provider::{ResponseBody, content};

/// Facts about a whole answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseFacts {
    /// Id, by which the client may refer to the response at its provider.
    pub id: String,
    /// State: `completed`, `incomplete`, `queued` …; empty if it is not stated.
    pub status: String,
    /// Ids of its items, to which later requests may refer.
    pub item_ids: Vec<String>,
    /// Text, reason to stop and tokens.
    pub output: TaskOutput,
}

/// Reads a whole answer. One that is computed in the background has no content yet.
///
/// # Errors
/// Fails if it is not a response object, or has failed.
pub fn read_answer(body: &[u8]) -> Result<ResponseFacts, InvalidAnswer> {
    let response = ResponseBody::parse(body).map_err(|error| match error {
        crate::form::InvalidAnswer::NotJson(text) => InvalidAnswer::NotJson(text),
        other => InvalidAnswer::WrongShape(other.to_string()),
    })?;
    if let Some(error) = response.failure() {
        return Err(InvalidAnswer::Reported(reported(&error, body)));
    }
    if response.output.is_none() && response.status.is_none() {
        return Err(InvalidAnswer::WrongShape("it has neither `output` nor `status`".to_owned()));
    }
    let answer: ConversationAnswer = content(&response);
    let finish_reason = match &answer.stop {
        StopReason::MaxTokens => Some("length"),
        StopReason::ContentFilter => Some("content_filter"),
        StopReason::ToolCalls => Some("tool_calls"),
        StopReason::Complete if response.is_complete() => Some("stop"),
        _ => None,
    };
    let count = AnswerCount { count: answer.count, output_bytes: answer.output_bytes() };
    let output = TaskOutput { text: answer.text(), finish_reason: finish_reason.map(str::to_owned), count };
    let item_ids = response.item_ids();
    Ok(ResponseFacts { id: answer.id, status: response.status.unwrap_or_default(), item_ids, output })
}

/// Returns the error with the cause that its text reveals.
pub(super) fn reported(error: &ProviderError, json: &[u8]) -> ReportedError {
    let cause: ErrorCause = classify_error(error.status, json);
    ReportedError { status: Some(error.status), cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_usage_id_and_status_are_read() {
        let facts = read_answer(
            br#"{"id":"resp_1","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[
            {"type":"reasoning","id":"rs_1","summary":[]},{"type":"web_search_call"},
            {"type":"message","id":"msg_1","content":[{"type":"output_text","text":"Hi"}]}],"usage":{"input_tokens":3,"output_tokens":2}}"#,
        )
        .unwrap();
        assert_eq!((&*facts.id, &*facts.status, &*facts.output.text), ("resp_1", "incomplete", "Hi"));
        assert_eq!(facts.item_ids, ["rs_1", "msg_1"]);
        assert_eq!(facts.output.finish_reason.as_deref(), Some("length"));
        let usage = facts.output.count.usage_or_estimate(100);
        assert_eq!((usage.input_tokens, usage.output_tokens, usage.estimated), (3, 2, false));
    }

    #[test]
    fn a_response_in_the_background_has_no_content_yet() {
        let facts = read_answer(br#"{"id":"resp_1","status":"queued","output":[],"usage":null}"#).unwrap();
        assert_eq!((&*facts.status, facts.output.finish_reason), ("queued", None));
    }

    #[test]
    fn an_error_is_reported_with_its_cause() {
        let failed = br#"{"id":"r","status":"failed","output":[],"error":{"code":"rate_limit_exceeded","message":"Rate limit reached"}}"#;
        let Err(InvalidAnswer::Reported(error)) = read_answer(failed) else { panic!() };
        assert_eq!((error.status, error.cause), (Some(429), ErrorCause::Load));
        assert!(matches!(read_answer(b"{}"), Err(InvalidAnswer::WrongShape(_))));
        assert!(matches!(read_answer(b"<"), Err(InvalidAnswer::NotJson(_))));
    }
}
