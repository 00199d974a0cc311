use std::sync::{Arc, OnceLock};

use pointsman_domain::prompt::Prompt;

use crate::body::Body;
use crate::json::{Span, unescape};

/// Where the texts of a request are.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// In order of the conversation.
    pub messages: Vec<MessageSpans>,
    /// The texts of all messages, one after the other.
    pub texts: Vec<Span>,
    /// The names of the tools.
    pub tool_names: Vec<Span>,
}

/// One message.
#[derive(Debug)]
pub(super) struct MessageSpans {
    pub role: Span,
    /// Which of [`Texts::texts`] are its own.
    pub texts: std::ops::Range<usize>,
}

/// The messages of a request. It shares the request's bytes; a text is decoded
/// when it is first asked for, media never.
#[derive(Clone, Debug)]
pub struct ChatPrompt {
    body: Arc<Body>,
    texts: Arc<Texts>,
    messages: OnceLock<Box<[Message]>>,
    tool_names: OnceLock<Vec<String>>,
}

#[derive(Clone, Debug, Default)]
struct Message {
    role: OnceLock<String>,
    text: OnceLock<String>,
}

impl ChatPrompt {
    pub(super) fn new(body: Arc<Body>, texts: Arc<Texts>) -> Self {
        Self { body, texts, messages: OnceLock::new(), tool_names: OnceLock::new() }
    }

    fn message(&self, message: usize) -> Option<(&Message, &MessageSpans)> {
        let spans = self.texts.messages.get(message)?;
        let decoded = self.messages.get_or_init(|| vec![Message::default(); self.message_count()].into());
        Some((decoded.get(message)?, spans))
    }

    fn decode(&self, span: &Span) -> String {
        unescape(&self.body.copy(span.clone()))
    }
}

impl Prompt for ChatPrompt {
    fn message_count(&self) -> usize {
        self.texts.messages.len()
    }

    fn role(&self, message: usize) -> Option<&str> {
        let (decoded, spans) = self.message(message)?;
        Some(decoded.role.get_or_init(|| self.decode(&spans.role)))
    }

    fn text(&self, message: usize) -> Option<&str> {
        let (decoded, spans) = self.message(message)?;
        Some(decoded.text.get_or_init(|| {
            let texts = self.texts.texts.get(spans.texts.clone()).unwrap_or_default();
            texts.iter().map(|span| self.decode(span)).collect::<Vec<_>>().join("\n")
        }))
    }

    fn tool_names(&self) -> &[String] {
        self.tool_names.get_or_init(|| self.texts.tool_names.iter().map(|span| self.decode(span)).collect())
    }
}

#[cfg(test)]
mod tests;
