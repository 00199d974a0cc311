//! Rendering of whole answers.

use bytes::Bytes;
use pointsman_domain::usage::Usage;
use serde::Serialize;

use crate::chat::{UsageBody, finish_reason};
use crate::form::{AnswerIdentity, ConversationAnswer, Part, PartContent};

/// Whole answer, or an event of a stream.
#[derive(Serialize)]
pub(super) struct CompletionBody<'a> {
    pub id: &'a str,
    pub object: &'static str,
    pub created: u64,
    pub model: &'a str,
    pub choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageBody>,
}

#[derive(Serialize)]
pub(super) struct Choice<'a> {
    pub text: &'a str,
    pub index: u32,
    pub logprobs: Option<()>,
    pub finish_reason: Option<&'static str>,
}

/// Type of an answer and of its events.
pub(super) const OBJECT: &str = "text_completion";

/// Renders a whole answer. This API has no place for reasoning.
pub fn render_answer(answer: &ConversationAnswer, identity: &AnswerIdentity, usage: Usage) -> Bytes {
    let text: String = answer.parts.iter().filter_map(written_text).collect();
    let choice = Choice {
        text: &text,
        index: 0,
        logprobs: None,
        finish_reason: Some(finish_reason(&answer.stop, has_refusal(answer))),
    };
    let body = CompletionBody {
        id: &completion_id(identity),
        object: OBJECT,
        created: answer.created.unwrap_or(identity.created),
        model: if answer.model.is_empty() { &identity.model } else { &answer.model },
        choices: &[choice],
        usage: Some(usage.into()),
    };
    // Strings and numbers into a vector: this cannot fail.
    serde_json::to_vec(&body).unwrap_or_default().into()
}

/// Returns the id of an answer in this API.
pub(super) fn completion_id(identity: &AnswerIdentity) -> String {
    format!("cmpl-{}", identity.id)
}

fn written_text(part: &Part) -> Option<&str> {
    match &part.content {
        PartContent::Text { text, .. } | PartContent::Refusal(text) => Some(text),
        _ => None,
    }
}

fn has_refusal(answer: &ConversationAnswer) -> bool {
    answer.parts.iter().any(|part| matches!(part.content, PartContent::Refusal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::{Reasoning, StopReason};

    #[test]
    fn an_answer_is_its_text() {
        let reasoning = Reasoning { text: "hm".to_owned(), ..Reasoning::default() };
        let answer = ConversationAnswer {
            parts: vec![Part::new(PartContent::Reasoning(reasoning)), Part::text("a"), Part::text("b")],
            stop: StopReason::MaxTokens,
            ..ConversationAnswer::default()
        };
        let identity = AnswerIdentity { id: "d1".to_owned(), created: 7, model: "m".to_owned() };
        let expected = concat!(
            r#"{"id":"cmpl-d1","object":"text_completion","created":7,"model":"m","#,
            r#""choices":[{"text":"ab","index":0,"logprobs":null,"finish_reason":"length"}],"#,
            r#""usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"#,
            r#""prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}"#
        );
        assert_eq!(render_answer(&answer, &identity, Usage::counted(1, 2)), expected);
    }
}
