//! The task that answers: the client's request with what the task changes.

use std::borrow::Cow;

use pointsman_domain::plan::Task;

use super::{ChatRequest, TaskBody};
use crate::body::{Body, Gather};
use crate::json::{Span, quote};

const MAX_TOKENS: &str = "max_tokens";
const MAX_COMPLETION_TOKENS: &str = "max_completion_tokens";

/// What comes in place of a value of the client's.
enum New {
    /// The backend's name of the model.
    Name,
    Body(Body),
    Value(Vec<u8>),
}

impl ChatRequest {
    /// The client's body with other messages and the task's own members.
    pub(super) fn edited_body(&self, task: &Task, messages: Body, input_tokens: u32) -> TaskBody {
        let mut members = String::new();
        let mut edits = vec![(self.model_span.clone(), New::Name)];
        if let Some(span) = self.replaceable.value("messages") {
            edits.push((span, New::Body(messages)));
        }
        let usage = self.streaming.then(|| self.usage_edit(&mut members)).flatten();
        edits.extend(usage.map(|(span, new)| (span, New::Value(new.into()))));
        for (name, value) in self.members_of(task) {
            match self.replaceable.value(name) {
                Some(span) => edits.push((span, New::Value(value.into_owned().into()))),
                None => members.push_str(&written(name, &value)),
            }
        }
        edits.sort_by_key(|(span, _)| span.start);
        let (before_name, after_name) = self.edited_around_name(edits);
        TaskBody { input_tokens, before_name, members, after_name }
    }

    fn edited_around_name(&self, edits: Vec<(Span, New)>) -> (Body, Body) {
        let (mut before_name, mut out) = (Body::default(), Gather::default());
        let mut from = 0;
        for (span, new) in edits {
            // Two edits of one value there are not; the first would do.
            if span.start < from {
                continue;
            }
            out.share(&self.body, from..span.start);
            match new {
                New::Name => before_name = std::mem::take(&mut out).finish(),
                New::Body(body) => out.share(&body, 0..body.len()),
                New::Value(value) => out.write(&value),
            }
            from = span.end;
        }
        out.share(&self.body, from..self.body.len());
        (before_name, out.finish())
    }

    /// What a task sets: names, and values in JSON.
    pub(super) fn members_of<'a>(&self, task: &'a Task) -> Vec<(&'a str, Cow<'a, str>)> {
        let option = |(name, value): &'a (String, String)| (name.as_str(), value_of(name, value));
        let mut members: Vec<_> = task.options.iter().map(option).collect();
        let Some(limit) = task.max_output_tokens else { return members };
        let limit = self.max_output_tokens.map_or(limit, |own| own.min(limit)).to_string();
        // Where the client used both, servers differ in which of them they read.
        let is_used = |name: &&str| self.replaceable.value(name).is_some();
        let used = [MAX_COMPLETION_TOKENS, MAX_TOKENS].into_iter().filter(is_used);
        let before = members.len();
        members.extend(used.map(|name| (name, limit.clone().into())));
        if members.len() == before {
            members.push((MAX_TOKENS, limit.into()));
        }
        members
    }
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
