//! Answers with a text that a plan composed.

use std::collections::VecDeque;

use bytes::Bytes;
use pointsman_domain::usage::Usage;
use pointsman_wire::openai::client::{AnswerHead, FinishReason};

use super::ClientConversation;
use crate::form::{
    AnswerEvent, AnswerIdentity, AnswerStart, ConversationAnswer, Part, PartDelta, PartStart, StopReason,
};
use crate::protocol::Protocol;

/// Composed text up to this size that is rendered as one piece, in bytes.
const AT_ONCE: usize = 64 << 10;
/// Bytes of a composed text in one event of a stream: clients limit the length of a line.
const EVENT_TEXT: usize = 4 << 10;

/// Answer with a text that a plan composed, in the client's protocol.
pub enum ComposedAnswer {
    /// Whole answer.
    Whole(Bytes),
    /// Whole answer in pieces, which are made one by one.
    Pieces(Box<dyn Iterator<Item = Bytes> + Send>),
    /// Events of a stream, which are made one by one.
    Events(Box<dyn Iterator<Item = Bytes> + Send>),
}

impl ClientConversation {
    /// Renders an answer with a composed text.
    pub fn composed_answer(&self, identity: AnswerIdentity, text: String, usage: Usage) -> ComposedAnswer {
        match (self.protocol, self.is_streaming()) {
            (Protocol::ChatCompletions, _) => self.chat_answer(&identity, text, usage),
            (_, true) => ComposedAnswer::Events(Box::new(self.events(identity, text, usage))),
            (_, false) => {
                let answer =
                    ConversationAnswer { parts: vec![Part::text(text)], ..ConversationAnswer::default() };
                ComposedAnswer::Whole(self.client_side().render_answer(&answer, &identity, usage))
            }
        }
    }

    fn chat_answer(&self, identity: &AnswerIdentity, text: String, usage: Usage) -> ComposedAnswer {
        let id = format!("chatcmpl-{}", identity.id);
        let head = AnswerHead { id: &id, created: identity.created, model: &identity.model };
        match text.len() {
            _ if self.is_streaming() => ComposedAnswer::Events(Box::new(
                head.stream_events(text, self.wants_stream_usage().then_some(usage)),
            )),
            ..=AT_ONCE => ComposedAnswer::Whole(head.completion(&text, FinishReason::Stop, usage)),
            _ => ComposedAnswer::Pieces(Box::new(head.completion_chunks(text, usage))),
        }
    }

    fn events(
        &self,
        identity: AnswerIdentity,
        text: String,
        usage: Usage,
    ) -> impl Iterator<Item = Bytes> + Send + use<> {
        let mut writer = self.client_side().stream_writer(identity);
        let mut begin = VecDeque::from([
            AnswerEvent::Start(AnswerStart::default()),
            AnswerEvent::PartStart(PartStart::Text),
        ]);
        let (mut at, mut end) = (0, Some(AnswerEvent::PartEnd));
        std::iter::from_fn(move || {
            let mut out = Vec::new();
            while out.is_empty() {
                if let Some(event) = begin.pop_front() {
                    writer.write(&event, &mut out);
                } else if let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
                    let (piece, _) = rest.split_at(rest.floor_char_boundary(EVENT_TEXT));
                    at += piece.len();
                    writer.write(&AnswerEvent::Delta(PartDelta::Text(piece.to_owned())), &mut out);
                } else {
                    writer.write(&end.take()?, &mut out);
                    writer.end(&StopReason::Complete, usage, &mut out);
                }
            }
            Some(out.into())
        })
    }
}
