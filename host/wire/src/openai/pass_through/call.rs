//! The body of a call: the client's request with the members that the call sets.

use bytes::Bytes;

use crate::body::Edit;
use crate::json::{Span, quote};
use crate::openai::client::{ChatRequest, StreamOptions};

const WITH_USAGE: &[u8] = br#"{"include_usage":true}"#;
const USAGE_MEMBER: &str = r#","stream_options":{"include_usage":true}"#;

/// Member that limits output tokens if the client used none: servers that know the other name
/// know this one too.
pub(super) const MAX_TOKENS: &str = "max_tokens";
const MAX_COMPLETION_TOKENS: &str = "max_completion_tokens";

/// Members of a chat request that each call sets.
#[derive(Clone, Copy, Debug)]
pub struct CallMembers<'a> {
    /// Name by which the backend knows the model.
    pub upstream_name: &'a str,
    /// Limit of output tokens for each answer. A lower limit of the client takes precedence.
    pub max_output_tokens: Option<u32>,
    /// True to request usage at the end of a stream where the client did not.
    pub stream_usage: bool,
}

/// Change to a request that makes its stream report usage.
#[derive(Debug)]
pub(super) enum UsageChange {
    /// Adds a member, to be written after another one.
    Member(&'static str),
    /// Replaces a value, or inserts into it.
    Value(Edit),
}

impl ChatRequest {
    /// Returns whether a call would request usage that the client did not request.
    pub fn adds_stream_usage(&self) -> bool {
        self.streaming && self.stream_options != StreamOptions::UsageOn
    }

    /// Returns the body of a call. Members that the call does not set stay as the client wrote
    /// them, and large bodies are not copied.
    pub fn body_for(&self, call: &CallMembers<'_>) -> Vec<Bytes> {
        let mut name = quote(call.upstream_name);
        let mut edits: Vec<Edit> = Vec::with_capacity(4);
        let is_lower = |limit: &u32| self.max_output_tokens.is_none_or(|own| own > *limit);
        if let Some(limit) = call.max_output_tokens.filter(is_lower) {
            let value = Bytes::from(limit.to_string());
            edits.extend(self.limit_spans().map(|(_, span)| (span, value.clone())));
            if edits.is_empty() {
                name.push_str(&format!(",{}:{limit}", quote(MAX_TOKENS)));
            }
        }
        match self.usage_change().filter(|_| call.stream_usage) {
            Some(UsageChange::Member(member)) => name.push_str(member),
            Some(UsageChange::Value(edit)) => edits.push(edit),
            None => {}
        }
        edits.push((self.model_span.clone(), name.into()));
        edits.sort_by_key(|(span, _)| span.start);
        self.body.edited(&edits)
    }

    /// Returns the members that limit output tokens in the client's request, with the spans of
    /// their values. Where a client sets both, servers differ in which one they use.
    pub(super) fn limit_spans(&self) -> impl Iterator<Item = (&'static str, Span)> {
        let span = |name| Some((name, self.replaceable.value(name)?));
        [MAX_COMPLETION_TOKENS, MAX_TOKENS].into_iter().filter_map(span)
    }

    /// Returns the change that makes the stream report usage; `None` if it reports usage already.
    pub(super) fn usage_change(&self) -> Option<UsageChange> {
        let edit = |span: Span, new: &'static [u8]| UsageChange::Value((span, Bytes::from_static(new)));
        match &self.stream_options {
            _ if !self.streaming => None,
            StreamOptions::UsageOn => None,
            StreamOptions::Absent => Some(UsageChange::Member(USAGE_MEMBER)),
            StreamOptions::Null(span) => Some(edit(span.clone(), WITH_USAGE)),
            StreamOptions::UsageOff(span) => Some(edit(span.clone(), b"true")),
            StreamOptions::WithoutUsage { members, is_empty } => {
                let member: &[u8] =
                    if *is_empty { br#""include_usage":true"# } else { br#""include_usage":true,"# };
                Some(edit(*members..*members, member))
            }
        }
    }
}

#[cfg(test)]
mod tests;
