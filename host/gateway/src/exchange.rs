//! What was said in a request, read from the bytes that are there anyway.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use pointsman_domain::prompt::Prompt;
use pointsman_wire::openai::client::ChatPrompt;
use pointsman_wire::openai::provider::TaskOutput;

/// A request's messages, and its answer where the gateway has all of it: one that
/// is streamed passes through, and is not kept.
pub(crate) struct Exchange {
    prompt: Arc<ChatPrompt>,
    answer: Option<Answer>,
}

/// An answer that the gateway has.
pub(crate) enum Answer {
    /// A chat completion.
    Completion(Bytes),
    /// What a plan came to.
    Text(String),
}

impl Exchange {
    /// A request that has not been answered yet.
    pub(crate) fn new(prompt: Arc<ChatPrompt>) -> Self {
        Self { prompt, answer: None }
    }

    pub(crate) fn answered(&mut self, answer: Answer) {
        self.answer = Some(answer);
    }
}

impl pointsman_telemetry::Exchange for Exchange {
    fn prompt(&self) -> &dyn Prompt {
        &*self.prompt
    }

    fn bytes(&self) -> usize {
        let answer = match &self.answer {
            Some(Answer::Completion(bytes)) => bytes.len(),
            Some(Answer::Text(text)) => text.len(),
            None => 0,
        };
        self.prompt.body_len() + answer
    }

    fn answer(&self, most: usize) -> Option<pointsman_telemetry::Answer> {
        let (mut text, finish_reason) = match self.answer.as_ref()? {
            Answer::Completion(bytes) => {
                let output = TaskOutput::of_chat(bytes).ok()?;
                (output.text, output.finish_reason)
            }
            Answer::Text(text) => (text.clone(), Some("stop".to_owned())),
        };
        let end = text.floor_char_boundary(most);
        let is_cut = end < text.len();
        text.truncate(end);
        Some(pointsman_telemetry::Answer { text, is_cut, finish_reason })
    }
}

impl fmt::Debug for Exchange {
    /// Without the content: it must not end up in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exchange(hidden)")
    }
}
