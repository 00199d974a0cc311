//! Body of a request that a call changes in few places.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use pointsman_domain::serving_error::ServingError;
use pointsman_wire::{Edit, edited};
use serde_json::value::RawValue;

use crate::json::{MemberPath, ObjectMembers, span_in};

/// Body of a client's request, with the spans of the values that each call replaces.
#[derive(Clone)]
pub struct EditableBody {
    body: Bytes,
    /// Span of the value of `model`, quotes included.
    model: Range<usize>,
    /// Member that limits the output tokens.
    limit_member: &'static str,
    /// Span of its value, `null` included.
    limit_span: Option<Range<usize>>,
    /// Client's limit; `None` for a value that is none, which the parser of the API checks.
    limit: Option<u32>,
}

/// Further changes of a call.
#[derive(Debug, Default)]
pub struct BodyChanges {
    /// Values to replace.
    pub edits: Vec<Edit>,
    /// Members to add, each after a comma.
    pub added: String,
}

impl EditableBody {
    /// Finds the values among the members at the top of a body, and removes them from `members`.
    ///
    /// # Errors
    /// Fails if there is no model, or its name is no string.
    pub fn find(
        body: &Bytes,
        members: &mut ObjectMembers<'_>,
        limit_member: &'static str,
    ) -> Result<Self, ServingError> {
        const ROOT: MemberPath<'_> = MemberPath::Root;
        let model: &RawValue = members.require("model", &ROOT, "a string")?;
        ROOT.member("model").parse::<String>(model, "a string")?;
        Ok(Self {
            model: span_in(body, model),
            limit_member,
            limit_span: members.raw(limit_member).map(|value| span_in(body, value)),
            limit: members.take_count(limit_member, &ROOT).ok().flatten(),
            body: body.clone(),
        })
    }

    /// Returns the request as the client wrote it.
    pub const fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// Returns whether a limit of output tokens is lower than the client's, and so replaces it.
    pub fn is_lowered_by(&self, limit: u32) -> bool {
        self.limit.is_none_or(|own| own > limit)
    }

    /// Returns the body of a call to the model that its provider knows by this name. A lower limit
    /// of output tokens replaces the client's. All other bytes stay as the client wrote them, and a
    /// large body is not copied.
    pub fn body_for(
        &self,
        upstream_name: &str,
        max_output_tokens: Option<u32>,
        changes: BodyChanges,
    ) -> Vec<Bytes> {
        let BodyChanges { mut edits, added } = changes;
        // A string into a string: this cannot fail.
        let mut model = serde_json::to_string(upstream_name).unwrap_or_default();
        if let Some(limit) = max_output_tokens.filter(|&limit| self.is_lowered_by(limit)) {
            match &self.limit_span {
                Some(span) => edits.push((span.clone(), limit.to_string().into())),
                None => model.push_str(&format!(r#","{}":{limit}"#, self.limit_member)),
            }
        }
        model.push_str(&added);
        edits.push((self.model.clone(), model.into()));
        edits.sort_by_key(|(span, _)| span.start);
        edited(&self.body, edits)
    }
}

impl fmt::Debug for EditableBody {
    /// Omits the content, which is a client's and must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EditableBody({} bytes)", self.body.len())
    }
}

#[cfg(test)]
mod tests;
