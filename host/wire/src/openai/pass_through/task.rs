//! Calls of a policy's tasks: the client's request, edited, or a new one.

mod content;
mod members;
mod messages;
mod single_input;

use bytes::Bytes;
use pointsman_domain::model::Modalities;
use pointsman_domain::plan::{ComposedPart, ContentRef, Task};
use pointsman_domain::prompt::ContentSize;

use self::content::TaskContent;
use self::messages::MessagesWriter;
use super::call::{CallMembers, MAX_TOKENS};
use crate::body::{Body, BodyBuilder, joined};
use crate::json::quote;
use crate::openai::client::ChatRequest;

use crate::task_outputs::TaskOutputs;

/// Body of a chat task without the name of the model and the limit of output tokens. Content of
/// the client's request is shared, so another attempt copies no picture.
#[derive(Debug)]
pub struct TaskBody {
    /// Estimated tokens of the whole input; the module `tokens` has the rules.
    pub input_tokens: u32,
    /// True if a stream is requested.
    streaming: bool,
    /// Limit of output tokens that the client set.
    own_limit: Option<u32>,
    segments: Vec<Segment>,
    /// Member that makes a stream report usage, to be written after the model's name; empty if
    /// there is none.
    usage_member: &'static str,
    /// Members to be written after that.
    members: String,
    /// Names of the members that limit output tokens, to be written after those.
    limit_members: Vec<&'static str>,
}

/// Segment of a body.
#[derive(Debug)]
enum Segment {
    Content(Body),
    /// Name of the model, and further members.
    Name,
    /// Limit of output tokens, with the client's value in case the call sets none.
    Limit(Bytes),
    /// Value of a member that makes a stream report usage.
    Usage {
        new: Bytes,
        /// Value that the client wrote.
        own: Bytes,
    },
}

impl TaskBody {
    /// Returns whether a call would request usage that the client did not request.
    pub fn adds_stream_usage(&self) -> bool {
        !self.usage_member.is_empty()
            || self.segments.iter().any(|segment| matches!(segment, Segment::Usage { .. }))
    }

    /// Returns whether a stream is requested.
    pub fn is_streaming(&self) -> bool {
        self.streaming
    }

    /// Returns the body of a call.
    pub fn body_for(&self, call: &CallMembers<'_>) -> Vec<Bytes> {
        let mut name = quote(call.upstream_name);
        if call.stream_usage {
            name.push_str(self.usage_member);
        }
        name.push_str(&self.members);
        let lower = |limit: u32| self.own_limit.map_or(limit, |own| own.min(limit));
        let limit = call.max_output_tokens.map(|limit| lower(limit).to_string());
        for (member, limit) in self.limit_members.iter().zip(limit.iter().cycle()) {
            name.push_str(&members::render_member(member, limit));
        }
        let mut pieces = Vec::with_capacity(2 * self.segments.len());
        for segment in &self.segments {
            match segment {
                Segment::Content(body) => pieces.extend_from_slice(body.pieces()),
                Segment::Name => pieces.push(Bytes::from(std::mem::take(&mut name))),
                Segment::Limit(own) => {
                    pieces.push(limit.as_ref().map_or_else(|| own.clone(), |it| Bytes::from(it.clone())));
                }
                Segment::Usage { new, own } => {
                    pieces.push(if call.stream_usage { new } else { own }.clone());
                }
            }
        }
        joined(pieces)
    }
}

impl ChatRequest {
    /// Renders the call of a chat task. The task that answers sends the client's request with
    /// other messages and with the members that the task sets; any other task sends a new request
    /// for a whole answer.
    ///
    /// References were checked when the plan was validated; one to nothing yields nothing.
    pub fn render_chat_task(&self, task: &Task, outputs: &TaskOutputs, answers: bool) -> TaskBody {
        let mut messages = MessagesWriter::new(TaskContent { request: self, outputs });
        task.input.iter().for_each(|input| messages.add(input));
        let messages = messages.finish();
        let mut size = task.size(|task| outputs.size(task));
        if answers {
            size += self.size_beside_messages();
        }
        let input_tokens = u32::try_from(size.input_tokens()).unwrap_or(u32::MAX);
        match answers {
            true => self.edited_body(task, messages, input_tokens),
            false => self.fresh_body(task, messages, input_tokens),
        }
    }

    /// Returns the size of the parts of the client's request that the task that answers sends
    /// besides its messages, such as tools.
    pub fn size_beside_messages(&self) -> ContentSize {
        let messages = self.replaceable.value("messages").map_or(0, |span| span.len());
        let all = ContentSize { bytes: 0, ..self.index.conversation_size(Modalities::all()) };
        ContentSize {
            bytes: (self.body.len() - messages) as u64,
            media_tokens: u64::from(self.input_tokens).saturating_sub(all.input_tokens()),
            ..ContentSize::default()
        }
    }

    /// Composes an answer from the texts of parts.
    pub fn compose_text(&self, parts: &[ComposedPart], outputs: &TaskOutputs) -> String {
        TaskContent { request: self, outputs }.text(parts)
    }

    /// Returns a part of the request as JSON, and its estimated tokens if it is a medium.
    fn part(&self, place: &ContentRef) -> Option<(Bytes, u32)> {
        let part = self.index.part(place.message, place.part)?;
        Some((self.body.bytes(part.whole.span()), part.media_tokens))
    }

    fn fresh_body(&self, task: &Task, messages: Body, input_tokens: u32) -> TaskBody {
        let mut before_name = BodyBuilder::default();
        before_name.write(br#"{"model":"#);
        let mut after_name = BodyBuilder::default();
        after_name.write(br#","messages":"#);
        after_name.share(&messages, 0..messages.len());
        for (name, value) in members::members_of(task) {
            after_name.write(members::render_member(name, &value).as_bytes());
        }
        after_name.write(b"}");
        let mut limit_members: Vec<_> = self.limit_spans().map(|(name, _)| name).collect();
        if limit_members.is_empty() {
            limit_members.push(MAX_TOKENS);
        }
        let segments = vec![
            Segment::Content(before_name.finish()),
            Segment::Name,
            Segment::Content(after_name.finish()),
        ];
        let own_limit = self.max_output_tokens;
        TaskBody {
            input_tokens,
            streaming: false,
            own_limit,
            segments,
            usage_member: "",
            members: String::new(),
            limit_members,
        }
    }
}

#[cfg(test)]
mod tests;
