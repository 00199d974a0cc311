//! Steps of the script of a fake model.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::gate::Gate;
use crate::request::Request;

/// Handling of one request: a head, then chunks of a body.
#[derive(Clone, Debug)]
pub struct Step {
    pub(crate) before_head: Option<Gate>,
    pub(crate) head: Head,
    pub(crate) acts: Vec<Act>,
}

#[derive(Clone, Debug)]
pub(crate) enum Head {
    Answer(StatusCode, HeaderMap),
    /// Closes the connection without an answer.
    None,
}

/// Action in the body of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Send(Bytes),
    Wait(Gate),
    /// Flushes the body so far: the server discards buffered bytes when a body ends in an error.
    Flush,
    /// Closes the connection.
    Die,
}

impl Step {
    /// Answers with a body in one chunk.
    pub fn bytes(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self::chunks(content_type, [body])
    }

    /// Answers with a body in several chunks.
    pub fn chunks<B: Into<Bytes>>(content_type: &'static str, chunks: impl IntoIterator<Item = B>) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        Self {
            before_head: None,
            head: Head::Answer(StatusCode::OK, headers),
            acts: chunks.into_iter().map(|chunk| Act::Send(chunk.into())).collect(),
        }
    }

    /// Answers with JSON.
    pub fn json(body: &Value) -> Self {
        Self::bytes("application/json", body.to_string())
    }

    /// Answers with a whole chat completion: 7 input tokens, one output token a word.
    pub fn answer(text: &str) -> Self {
        let message = json!({ "role": "assistant", "content": text });
        Self::json(&json!({
            "id": "chatcmpl-fake", "object": "chat.completion", "created": 1, "model": "fake",
            "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }],
            "usage": usage(text.split_whitespace().count()),
        }))
    }

    /// Answers with a streamed chat completion: each text is an event in a chunk of its own. Ends
    /// with the usage, one output token a text.
    pub fn stream(texts: &[&str]) -> Self {
        Self::stream_of(texts, true)
    }

    /// Answers as a well-behaved server does: `text` as the request demands it, streamed word by
    /// word or whole, with usage on a stream only if it was requested. A GET gets an empty list
    /// of models.
    pub fn says(request: &Request, text: &str) -> Self {
        if request.method == Method::GET {
            return Self::json(&json!({ "object": "list", "data": [] }));
        }
        let body = request.json();
        if body["stream"] != true {
            return Self::answer(text);
        }
        let words: Vec<&str> = text.split_inclusive(' ').collect();
        Self::stream_of(&words, body["stream_options"]["include_usage"] == true)
    }

    /// Answers with an error in OpenAI's shape.
    pub fn status(status: u16) -> Self {
        let error =
            json!({ "message": format!("fake {status}"), "type": "fake", "param": null, "code": null });
        Self::json(&json!({ "error": error })).with_status(status)
    }

    /// Replaces the status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        if let Head::Answer(code, _) = &mut self.head {
            *code = StatusCode::from_u16(status).expect("an HTTP status");
        }
        self
    }

    /// Never answers, and keeps the connection open.
    pub fn hang() -> Self {
        Self::answer("never").after(&Gate::new())
    }

    /// Closes the connection without an answer.
    pub fn drop_connection() -> Self {
        Self { before_head: None, head: Head::None, acts: Vec::new() }
    }

    /// Answers with a JSON string of `bytes` bytes.
    pub fn huge(bytes: usize) -> Self {
        let piece = Bytes::from(vec![b'a'; 64 * 1024]);
        let middle = std::iter::repeat_n(piece.clone(), bytes / piece.len());
        let quote = || std::iter::once(Bytes::from_static(b"\""));
        Self::chunks("application/json", quote().chain(middle).chain(quote()))
    }

    /// Returns whether the answer is a stream of events.
    pub fn is_event_stream(&self) -> bool {
        let Head::Answer(_, headers) = &self.head else { return false };
        headers.get(CONTENT_TYPE).is_some_and(|value| value == "text/event-stream")
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Head::Answer(_, headers) = &mut self.head {
            let value = HeaderValue::from_str(value).expect("a header value");
            headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// Sends further chunks before the body.
    #[must_use]
    pub fn preceded_by<B: Into<Bytes>>(mut self, pieces: impl IntoIterator<Item = B>) -> Self {
        self.acts.splice(0..0, pieces.into_iter().map(|piece| Act::Send(piece.into())));
        self
    }

    /// Sends nothing, not even the head, until the gate opens.
    #[must_use]
    pub fn after(mut self, gate: &Gate) -> Self {
        self.before_head = Some(gate.clone());
        self
    }

    /// Sends `pieces` chunks of the body, then waits at the gate.
    #[must_use]
    pub fn wait_after(mut self, pieces: usize, gate: &Gate) -> Self {
        self.acts.insert(pieces, Act::Wait(gate.clone()));
        self
    }

    /// Sends `pieces` chunks of the body, then closes the connection.
    #[must_use]
    pub fn die_after(mut self, pieces: usize) -> Self {
        self.acts.truncate(pieces);
        self.acts.extend([Act::Flush, Act::Die]);
        self
    }

    fn stream_of(texts: &[&str], with_usage: bool) -> Self {
        let mut deltas: Vec<Value> = texts.iter().map(|text| json!({ "content": text })).collect();
        if let Some(first) = deltas.first_mut() {
            first["role"] = "assistant".into();
        }
        let mut events: Vec<String> = deltas.iter().map(|delta| event(delta, Value::Null)).collect();
        events.push(event(&json!({}), "stop".into()));
        if with_usage {
            let mut last = chunk(json!([]));
            last["usage"] = usage(texts.len());
            events.push(format!("data: {last}\n\n"));
        }
        events.push("data: [DONE]\n\n".to_owned());
        Self::chunks("text/event-stream", events)
    }
}

fn event(delta: &Value, finish_reason: Value) -> String {
    let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish_reason });
    format!("data: {}\n\n", chunk(json!([choice])))
}

fn chunk(choices: Value) -> Value {
    json!({
        "id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 1, "model": "fake",
        "choices": choices,
    })
}

fn usage(output_tokens: usize) -> Value {
    json!({ "prompt_tokens": 7, "completion_tokens": output_tokens, "total_tokens": 7 + output_tokens })
}
