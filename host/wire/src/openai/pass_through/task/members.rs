//! The task that answers: the client's request with what the task changes.

use std::borrow::Cow;

use bytes::Bytes;
use pointsman_domain::plan::Task;

use super::{ChatRequest, Segment, TaskBody};
use crate::body::{Body, BodyBuilder};
use crate::json::{Span, quote};
use crate::openai::pass_through::call::{MAX_TOKENS, UsageChange};

/// What comes in place of a value of the client's.
enum Replacement {
    /// The backend's name of the model.
    Name,
    /// The limit of output tokens of a call.
    Limit,
    /// A value that makes a stream report usage.
    Usage(Bytes),
    Body(Body),
    Value(Vec<u8>),
}

impl ChatRequest {
    /// The client's body with other messages and the task's own members.
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
                None => members.push_str(&written(name, &value)),
            }
        }
        edits.sort_by_key(|(span, _)| span.start);
        let names_of_limit = if self.limit_spans().next().is_some() { Vec::new() } else { vec![MAX_TOKENS] };
        let (own_limit, segments) = (self.max_output_tokens, self.edited_segments(edits));
        TaskBody { input_tokens, own_limit, segments, usage_member, members, names_of_limit }
    }

    fn edited_segments(&self, edits: Vec<(Span, Replacement)>) -> Vec<Segment> {
        let (mut segments, mut out) = (Vec::new(), BodyBuilder::default());
        let mut from = 0;
        for (span, new) in edits {
            // Two edits of one value there are not; the first would do.
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

/// Members that a task sets beside its limit of output tokens: names, and values in JSON.
pub(super) fn members_of(task: &Task) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    task.options.iter().map(|(name, value)| (name.as_str(), value_of(name, value)))
}

/// A member after others.
pub(super) fn written(name: &str, value: &str) -> String {
    format!(",{}:{value}", quote(name))
}

/// A policy gives a kind of format where the protocol has an object.
fn value_of<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if name == "response_format" && value.starts_with('"') {
        return format!(r#"{{"type":{value}}}"#).into();
    }
    value.into()
}
