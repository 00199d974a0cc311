//! Requests that a policy's tasks are: the client's own, edited, or a fresh one.

mod content;
mod members;
mod messages;

use bytes::Bytes;
use pointsman_domain::plan::{ContentRef, Part, Task};

use self::content::Content;
use self::messages::Messages;
use super::request::ChatRequest;
use crate::body::{Body, Gather};
use crate::json::quote;

/// The text that a task gave, by its number; `None` where it gave none.
pub type Outputs<'a, 'text> = &'a dyn Fn(usize) -> Option<&'text str>;

/// A task's request, but for the name of the model. What it has of the client's
/// request it shares, so an attempt more costs no copy of a picture.
#[derive(Debug)]
pub struct TaskBody {
    /// Estimated tokens of the whole input; the module `tokens` has the rules.
    pub input_tokens: u32,
    before_name: Body,
    /// Members to be written after the model's name.
    members: String,
    after_name: Body,
}

impl TaskBody {
    /// The body for a backend that knows the model by this name.
    pub fn body_for(&self, upstream_name: &str) -> Vec<Bytes> {
        let name = quote(upstream_name) + &self.members;
        self.before_name.with(name.into(), &self.after_name)
    }
}

impl ChatRequest {
    /// What a chat task sends. The task that answers sends the client's request
    /// with other messages and what the task sets; any other has a request of
    /// its own, for a whole answer.
    ///
    /// References were checked when the plan was; one to nothing gives nothing.
    pub fn chat_task(&self, task: &Task, outputs: Outputs<'_, '_>, answers: bool) -> TaskBody {
        let mut messages = Messages::new(Content { request: self, outputs });
        task.input.iter().for_each(|input| messages.add(input));
        let (messages, input_tokens) = messages.finish();
        if !answers {
            return self.fresh_body(task, messages, input_tokens);
        }
        let input_tokens = input_tokens.saturating_add(self.tokens_beside_messages());
        self.edited_body(task, messages, input_tokens)
    }

    /// What parts say, one after the other: an answer that is put together.
    pub fn composed(&self, parts: &[Part], outputs: Outputs<'_, '_>) -> String {
        Content { request: self, outputs }.text(parts)
    }

    /// A part of the request as JSON, and its estimated tokens if it is a medium.
    pub(in crate::openai) fn part(&self, place: &ContentRef) -> Option<(Vec<u8>, u32)> {
        let part = self.texts.part(place.message, place.part)?;
        Some((self.body.copy(part.whole.span()), part.media_tokens))
    }

    fn fresh_body(&self, task: &Task, messages: Body, input_tokens: u32) -> TaskBody {
        let mut before_name = Gather::default();
        before_name.write(br#"{"model":"#);
        let mut after_name = Gather::default();
        after_name.write(br#","messages":"#);
        after_name.share(&messages, 0..messages.len());
        for (name, value) in self.members_of(task) {
            after_name.write(members::written(name, &value).as_bytes());
        }
        after_name.write(b"}");
        TaskBody {
            input_tokens,
            before_name: before_name.finish(),
            members: String::new(),
            after_name: after_name.finish(),
        }
    }
}

#[cfg(test)]
mod tests;
