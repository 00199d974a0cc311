//! The simulated fleet's answers in OpenAI's shapes.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde_json::{Value, json};

use super::answer::Answer;
use super::request::Asked;

/// What every piece of one answer says of itself.
#[derive(Debug)]
pub(super) struct Format {
    id: String,
    created: u64,
    model: String,
    input_tokens: u64,
    wants_usage: bool,
}

impl Format {
    pub(super) fn new(id: u64, asked: &Asked) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            id: format!("chatcmpl-simulated-{id:016x}"),
            created: now.map_or(0, |since| since.as_secs()),
            model: asked.model.clone(),
            input_tokens: asked.input_tokens,
            wants_usage: asked.wants_usage,
        }
    }

    /// An answer in one piece.
    pub(super) fn whole(&self, answer: &Answer) -> Bytes {
        let message = json!({ "role": "assistant", "content": answer.tokens.concat(), "refusal": null });
        let choice = json!({
            "index": 0, "message": message, "logprobs": null, "finish_reason": finish_reason(answer),
        });
        let mut whole = self.object("chat.completion", json!([choice]));
        whole["usage"] = self.usage(answer);
        Bytes::from(whole.to_string())
    }

    /// The event that opens a stream.
    pub(super) fn opening(&self) -> Bytes {
        event(&self.delta(json!({ "role": "assistant", "content": "" }), Value::Null))
    }

    /// An event with some tokens.
    pub(super) fn said(&self, tokens: &[String]) -> Bytes {
        event(&self.delta(json!({ "content": tokens.concat() }), Value::Null))
    }

    /// The events that end a stream.
    pub(super) fn ending(&self, answer: &Answer) -> Bytes {
        let mut ending = event(&self.delta(json!({}), finish_reason(answer).into())).to_vec();
        if self.wants_usage {
            let mut usage = self.object("chat.completion.chunk", json!([]));
            usage["usage"] = self.usage(answer);
            ending.extend_from_slice(&event(&usage));
        }
        ending.extend_from_slice(b"data: [DONE]\n\n");
        Bytes::from(ending)
    }

    fn delta(&self, delta: Value, finish_reason: Value) -> Value {
        let choice = json!({ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason });
        self.object("chat.completion.chunk", json!([choice]))
    }

    fn object(&self, kind: &str, choices: Value) -> Value {
        json!({
            "id": self.id, "object": kind, "created": self.created, "model": self.model, "choices": choices,
        })
    }

    fn usage(&self, answer: &Answer) -> Value {
        let output = answer.tokens.len() as u64;
        json!({
            "prompt_tokens": self.input_tokens,
            "completion_tokens": output,
            "total_tokens": self.input_tokens + output,
        })
    }
}

/// An error in OpenAI's shape.
pub(super) fn error(status: u16, message: &str) -> Bytes {
    let kind = if status < 500 { "invalid_request_error" } else { "server_error" };
    let error = json!({ "error": { "message": message, "type": kind, "param": null, "code": null } });
    Bytes::from(error.to_string())
}

fn finish_reason(answer: &Answer) -> &'static str {
    if answer.cut { "length" } else { "stop" }
}

fn event(data: &Value) -> Bytes {
    Bytes::from(format!("data: {data}\n\n"))
}
