//! What was said in a request, read from the bytes that are there anyway.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use pointsman_domain::prompt::Prompt;
use pointsman_domain::trace::TraceContext;
use pointsman_telemetry::traces::{self, Traces, Words};
use pointsman_wire::openai::chat::ChatPrompt;
use pointsman_wire::openai::output::Output;

/// Nobody checks what clients call the roles of their messages.
const MAX_ROLE: usize = 64;

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
    /// What is said in a request, if its span is to tell that.
    pub(crate) fn to_be_told(
        traces: Option<&Traces>,
        trace: Option<TraceContext>,
        prompt: &Arc<ChatPrompt>,
    ) -> Option<Self> {
        let is_wanted = traces?.want_content() && trace?.sampled;
        is_wanted.then(|| Self { prompt: Arc::clone(prompt), answer: None })
    }

    pub(crate) fn answered(&mut self, answer: Answer) {
        self.answer = Some(answer);
    }
}

impl traces::Exchange for Exchange {
    fn bytes(&self) -> usize {
        let answer = match &self.answer {
            Some(Answer::Completion(bytes)) => bytes.len(),
            Some(Answer::Text(text)) => text.len(),
            None => 0,
        };
        self.prompt.body_len() + answer
    }

    fn messages(&self) -> usize {
        self.prompt.message_count()
    }

    fn message(&self, number: usize, most: usize) -> Option<Words> {
        let role = self.prompt.role(number)?;
        let role = role.get(..role.floor_char_boundary(MAX_ROLE)).unwrap_or_default().to_owned();
        let (text, is_cut) = self.prompt.beginning(number, most)?;
        Some(Words { role, text, is_cut, finish_reason: None })
    }

    fn answer(&self, most: usize) -> Option<Words> {
        let (mut text, finish_reason) = match self.answer.as_ref()? {
            Answer::Completion(bytes) => {
                let output = Output::of_chat(bytes).ok()?;
                (output.text, output.finish_reason)
            }
            Answer::Text(text) => (text.clone(), Some("stop".to_owned())),
        };
        let end = text.floor_char_boundary(most);
        let is_cut = end < text.len();
        text.truncate(end);
        Some(Words { role: "assistant".to_owned(), text, is_cut, finish_reason })
    }
}

impl fmt::Debug for Exchange {
    /// Without the content: it must not end up in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exchange(hidden)")
    }
}
