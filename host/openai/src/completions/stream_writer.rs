//! Rendering of streamed answers.

use pointsman_domain::serving_error::ServingError;
use pointsman_domain::usage::Usage;
use pointsman_wire::openai::client::{DONE_EVENT, ErrorBody};

use super::answer::{Choice, CompletionBody, OBJECT, completion_id};
use crate::chat::{UsageBody, finish_reason};
use crate::form::{AnswerEvent, AnswerIdentity, PartDelta, PartStart, StopReason, StreamWriter};

/// Renders a streamed answer for clients of legacy completions.
#[derive(Debug)]
pub struct CompletionStreamWriter {
    id: String,
    created: u64,
    model: String,
    wants_usage: bool,
    /// True within a part that this API can express.
    is_text: bool,
    has_refusal: bool,
}

impl CompletionStreamWriter {
    /// Returns the writer of an answer. `wants_usage` if the client requested the usage at the end.
    pub fn new(identity: AnswerIdentity, wants_usage: bool) -> Self {
        Self {
            id: completion_id(&identity),
            created: identity.created,
            model: identity.model,
            wants_usage,
            is_text: false,
            has_refusal: false,
        }
    }

    fn text(&self, text: &str, finish_reason: Option<&'static str>, out: &mut Vec<u8>) {
        self.chunk(&[Choice { text, index: 0, logprobs: None, finish_reason }], None, out);
    }

    fn chunk(&self, choices: &[Choice<'_>], usage: Option<UsageBody>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"data: ");
        let (id, model) = (&*self.id, &*self.model);
        let body = CompletionBody { id, object: OBJECT, created: self.created, model, choices, usage };
        // Strings and numbers into a vector: this cannot fail.
        let _ = serde_json::to_writer(&mut *out, &body);
        out.extend_from_slice(b"\n\n");
    }
}

impl StreamWriter for CompletionStreamWriter {
    fn write(&mut self, event: &AnswerEvent, out: &mut Vec<u8>) {
        match event {
            AnswerEvent::Start(start) => {
                self.created = start.created.unwrap_or(self.created);
                if !start.model.is_empty() {
                    self.model.clone_from(&start.model);
                }
            }
            AnswerEvent::PartStart(start) => {
                self.is_text = matches!(start, PartStart::Text | PartStart::Refusal);
                self.has_refusal |= *start == PartStart::Refusal;
            }
            AnswerEvent::Delta(PartDelta::Text(text)) if self.is_text => self.text(text, None, out),
            AnswerEvent::PartEnd => self.is_text = false,
            _ => {}
        }
    }

    fn end(&mut self, stop: &StopReason, usage: Usage, out: &mut Vec<u8>) {
        self.text("", Some(finish_reason(stop, self.has_refusal)), out);
        if self.wants_usage {
            self.chunk(&[], Some(usage.into()), out);
        }
        out.extend_from_slice(&DONE_EVENT);
    }

    fn error(&mut self, error: &ServingError, out: &mut Vec<u8>) {
        out.extend_from_slice(&ErrorBody::from(error).to_event());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::AnswerStart;

    #[test]
    fn a_stream_has_the_text_and_ends_with_usage_and_done() {
        let identity = AnswerIdentity { id: "d1".to_owned(), created: 7, model: "m".to_owned() };
        let mut writer = CompletionStreamWriter::new(identity, true);
        let text = |text: &str| AnswerEvent::Delta(PartDelta::Text(text.to_owned()));
        let mut out = Vec::new();
        for event in [
            AnswerEvent::Start(AnswerStart::default()),
            AnswerEvent::PartStart(PartStart::Reasoning { is_summary: false }),
            text("hm"),
            AnswerEvent::PartEnd,
            AnswerEvent::PartStart(PartStart::Text),
            text("a"),
            AnswerEvent::PartEnd,
        ] {
            writer.write(&event, &mut out);
        }
        writer.end(&StopReason::Complete, Usage::counted(1, 2), &mut out);
        let head = r#"data: {"id":"cmpl-d1","object":"text_completion","created":7,"model":"m","choices":["#;
        let expected = [
            r#"{"text":"a","index":0,"logprobs":null,"finish_reason":null}]}"#,
            r#"{"text":"","index":0,"logprobs":null,"finish_reason":"stop"}]}"#,
            r#"],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}"#,
        ];
        let expected: String = expected.map(|rest| format!("{head}{rest}\n\n")).concat() + "data: [DONE]\n\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
