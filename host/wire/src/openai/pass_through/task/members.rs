//! Body of the task that answers: the client's request with the members that the task sets.

use std::borrow::Cow;

use bytes::Bytes;
use pointsman_domain::plan::Task;

use super::{ChatRequest, Segment, TaskBody};
use crate::body::{Body, BodyBuilder};
use crate::json::{Span, quote};
use crate::openai::pass_through::call::{MAX_TOKENS, UsageChange};

/// Replacement of a value in the client's request.
enum Replacement {
    /// Name by which the backend knows the model.
    Name,
    /// Limit of output tokens of the call.
    Limit,
    /// Value that makes a stream report usage.
    Usage(Bytes),
    Body(Body),
    Value(Vec<u8>),
}

impl ChatRequest {
    /// Returns the client's body with other messages and the members of the task.
    pub(super) fn edited_body(&self, task: &Task, messages: Body, input_tokens: u32) -> TaskBody {
        let mut members = String::new();
        let mut edits = vec![(self.model_span.clone(), Replacement::Name)];
        edits.extend(self.limit_spans().map(|(_, span)| (span, Replacement::Limit)));
        if let Some(span) = self.replaceable.value("messages") {
            edits.push((span, Replacement::Body(messages)));
        }
        let mut usage_member = "";
        match self.usage_change() {
            Some(UsageChange::Member(member)) => usage_member = member,
            Some(UsageChange::Value((span, new))) => edits.push((span, Replacement::Usage(new))),
            None => {}
        }
        for (name, value) in members_of(task) {
            match self.replaceable.value(name) {
                Some(span) => edits.push((span, Replacement::Value(value.into_owned().into()))),
                None => members.push_str(&render_member(name, &value)),
            }
        }
        edits.sort_by_key(|(span, _)| span.start);
        let limit_members = if self.limit_spans().next().is_some() { Vec::new() } else { vec![MAX_TOKENS] };
        let (own_limit, segments) = (self.max_output_tokens, self.edited_segments(edits));
        let streaming = self.streaming;
        TaskBody { input_tokens, streaming, own_limit, segments, usage_member, members, limit_members }
    }

    fn edited_segments(&self, edits: Vec<(Span, Replacement)>) -> Vec<Segment> {
        let (mut segments, mut out) = (Vec::new(), BodyBuilder::default());
        let mut from = 0;
        for (span, new) in edits {
            // Edits never overlap; if they did, the first one would win.
            if span.start < from {
                continue;
            }
            out.share(&self.body, from..span.start);
            let mut hole = |segment| {
                segments.push(Segment::Content(std::mem::take(&mut out).finish()));
                segments.push(segment);
            };
            match new {
                Replacement::Name => hole(Segment::Name),
                Replacement::Limit => hole(Segment::Limit(self.body.bytes(span.clone()))),
                Replacement::Usage(new) => hole(Segment::Usage { new, own: self.body.bytes(span.clone()) }),
                Replacement::Body(body) => out.share(&body, 0..body.len()),
                Replacement::Value(value) => out.write(&value),
            }
            from = span.end;
        }
        out.share(&self.body, from..self.body.len());
        segments.push(Segment::Content(out.finish()));
        segments
    }
}

/// Returns the members that a task sets besides its limit of output tokens: names, and values in
/// JSON.
pub(super) fn members_of(task: &Task) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    task.options.iter().map(|(name, value)| (name.as_str(), value_of(name, value)))
}

/// Returns a member that follows others, with its comma.
pub(super) fn render_member(name: &str, value: &str) -> String {
    format!(",{}:{value}", quote(name))
}

/// Returns the value of a member. A policy states a kind of format where the protocol has an
/// object.
fn value_of<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if name == "response_format" && value.starts_with('"') {
        return format!(r#"{{"type":{value}}}"#).into();
    }
    value.into()
}
