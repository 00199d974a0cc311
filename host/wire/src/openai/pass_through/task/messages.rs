//! Messages of a task: the client's, filtered by kind of content, and those that a policy
//! composes.

use pointsman_domain::model::Modalities;
use pointsman_domain::plan::{ComposedMessage, MessageRole, TaskInput};

use super::content::{ResolvedPart, TaskContent};
use crate::body::{Body, BodyBuilder};
use crate::json::quoted_interior;
use crate::openai::client::{MessageSpans, PartSpans};

/// Writer of the array of a task's messages.
pub(super) struct MessagesWriter<'a> {
    content: TaskContent<'a>,
    out: BodyBuilder,
    is_empty: bool,
}

impl<'a> MessagesWriter<'a> {
    pub fn new(content: TaskContent<'a>) -> Self {
        let mut out = BodyBuilder::default();
        out.write(b"[");
        Self { content, out, is_empty: true }
    }

    pub fn add(&mut self, input: &'a TaskInput) {
        match input {
            TaskInput::Conversation(kinds) => self.conversation(*kinds),
            TaskInput::Message(message) => self.message(message),
        }
    }

    /// Returns the complete array.
    pub fn finish(mut self) -> Body {
        self.out.write(b"]");
        self.out.finish()
    }

    /// Writes the client's messages with only these kinds of parts. A message without any such
    /// part is omitted, unless it calls tools: otherwise the results would refer to nothing.
    fn conversation(&mut self, kinds: Modalities) {
        let index = &self.content.request.index;
        for (number, message) in index.messages.iter().enumerate() {
            let parts = index.parts.get(index.parts_of(number)).unwrap_or_default();
            let kept = parts.iter().filter(|part| part.is_kept(kinds)).count();
            if kept == parts.len() {
                self.begin_message();
                self.share(message.whole.span());
            } else if kept > 0 || message.calls_tools {
                self.begin_message();
                self.filtered_message(message, parts, kinds);
            }
        }
    }

    fn filtered_message(&mut self, message: &MessageSpans, parts: &[PartSpans], kinds: Modalities) {
        let (whole, content) = (message.whole.span(), message.content.span());
        self.share(whole.start..content.start);
        let mut is_first = true;
        for part in parts.iter().filter(|part| part.is_kept(kinds)) {
            self.out.write(if is_first { b"[" } else { b"," });
            self.share(part.whole.span());
            is_first = false;
        }
        self.out.write(if is_first { b"null" } else { b"]" });
        self.share(content.end..whole.end);
    }

    fn message(&mut self, message: &'a ComposedMessage) {
        self.begin_message();
        self.out.write(br#"{"role":""#);
        self.out.write(match message.role {
            MessageRole::System => b"system",
            MessageRole::User => b"user",
            MessageRole::Assistant => b"assistant",
        });
        self.out.write(br#"","content":"#);
        let parts: Vec<_> = message.content.iter().filter_map(|part| self.content.resolve(part)).collect();
        if parts.iter().any(|part| matches!(part, ResolvedPart::Media(_))) {
            self.array(&parts);
        } else {
            // Every server accepts a string; some know no arrays.
            self.out.write(b"\"");
            parts.iter().for_each(|part| self.text(part));
            self.out.write(b"\"");
        }
        self.out.write(b"}");
    }

    fn array(&mut self, parts: &[ResolvedPart<'_>]) {
        let (mut is_first, mut in_text) = (true, false);
        let content = self.content;
        for part in parts.iter().filter(|part| !content.is_empty(part)) {
            let is_media = matches!(part, ResolvedPart::Media(_));
            if in_text && is_media {
                self.out.write(br#""}"#);
            }
            if is_media || !in_text {
                self.out.write(if is_first { b"[" } else { b"," });
                is_first = false;
            }
            if !is_media && !in_text {
                self.out.write(br#"{"type":"text","text":""#);
            }
            in_text = !is_media;
            self.text(part);
        }
        self.out.write(if in_text { br#""}]"# } else { b"]" });
    }

    /// Writes the escaped form of a text, or a medium as it is.
    fn text(&mut self, part: &ResolvedPart<'_>) {
        match part {
            ResolvedPart::Text(text) => self.out.push(quoted_interior(text)),
            ResolvedPart::Output(task) => {
                if let Some(escaped) = self.content.outputs.escaped(*task) {
                    self.out.push(escaped.clone());
                }
            }
            ResolvedPart::Written(span) | ResolvedPart::Media(span) => self.share(span.clone()),
        }
    }

    fn begin_message(&mut self) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.write(b",");
        }
    }

    fn share(&mut self, span: std::ops::Range<usize>) {
        self.out.share(&self.content.request.body, span);
    }
}
