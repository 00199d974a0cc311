//! Bodies of calls: the client's request with the members that the call sets.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use pointsman_domain::serving_error::ServingError;
use pointsman_wire::{Edit, edited};
use serde_json::value::RawValue;

use crate::json::{MemberPath, ObjectMembers, span_in};

const MAX_OUTPUT_TOKENS: &str = "max_output_tokens";

/// Request as its client wrote it, with the members that a gateway reads.
#[derive(Clone)]
pub struct ResponsesBody {
    body: Bytes,
    /// Requested model.
    pub model: String,
    /// True if the client requests a stream.
    pub streaming: bool,
    /// Client's limit of output tokens.
    pub max_output_tokens: Option<u32>,
    /// Response that the request continues. Its provider has to keep it.
    pub previous_response_id: Option<String>,
    /// Conversation that the request continues, which its provider keeps.
    pub conversation: Option<String>,
    /// True if the response is computed in the background.
    pub is_background: bool,
    /// True if the provider is to keep the response; `None` for its default.
    pub store: Option<bool>,
    model_span: Range<usize>,
    /// Span of the value of `max_output_tokens`, `null` included.
    limit_span: Option<Range<usize>>,
}

impl ResponsesBody {
    /// Parses the members at the top of a request. The others are the provider's to check.
    ///
    /// # Errors
    /// Fails if the body is not a JSON object, has no model, or a member that is read has another
    /// type.
    pub fn parse(body: Bytes) -> Result<Self, ServingError> {
        const ROOT: MemberPath<'_> = MemberPath::Root;
        let mut members = ObjectMembers::parse_request(&body)?;
        let span = |value: &RawValue| span_in(&body, value);
        let model_value: &RawValue = members.require("model", &ROOT, "a string")?;
        let limit_span = members.raw(MAX_OUTPUT_TOKENS).map(span);
        let conversation = members.take("conversation").map(conversation_id).transpose()?;
        Ok(Self {
            model: ROOT.member("model").parse(model_value, "a string")?,
            streaming: members.take_as("stream", &ROOT, "a boolean")?.unwrap_or(false),
            max_output_tokens: members.take_count(MAX_OUTPUT_TOKENS, &ROOT)?,
            previous_response_id: members.take_as("previous_response_id", &ROOT, "a string")?,
            conversation,
            is_background: members.take_as("background", &ROOT, "a boolean")?.unwrap_or(false),
            store: members.take_as("store", &ROOT, "a boolean")?,
            model_span: span(model_value),
            limit_span,
            body: body.clone(),
        })
    }

    /// Returns the body of a call of the model with this name at its provider. A lower limit of
    /// the client takes precedence. All other members stay as the client wrote them, and large
    /// bodies are not copied.
    pub fn body_for(&self, upstream_name: &str, max_output_tokens: Option<u32>) -> Vec<Bytes> {
        // A string into a string: this cannot fail.
        let mut model = serde_json::to_string(upstream_name).unwrap_or_default();
        let mut edits: Vec<Edit> = Vec::with_capacity(2);
        let is_lower = |limit: &u32| self.max_output_tokens.is_none_or(|own| own > *limit);
        if let Some(limit) = max_output_tokens.filter(is_lower) {
            match &self.limit_span {
                Some(span) => edits.push((span.clone(), limit.to_string().into())),
                None => model.push_str(&format!(r#","{MAX_OUTPUT_TOKENS}":{limit}"#)),
            }
        }
        edits.push((self.model_span.clone(), model.into()));
        edits.sort_by_key(|(span, _)| span.start);
        edited(&self.body, edits)
    }

    /// Returns the request as the client wrote it.
    pub const fn bytes(&self) -> &Bytes {
        &self.body
    }
}

/// Returns the id of a conversation, which is a string or an object.
fn conversation_id(value: &RawValue) -> Result<String, ServingError> {
    let path = MemberPath::Root.member("conversation");
    if value.get().starts_with('"') {
        return path.parse(value, "a string or an object");
    }
    ObjectMembers::parse(value, &path)?.require("id", &path, "a string")
}

impl fmt::Debug for ResponsesBody {
    /// Omits the content, which is a client's and must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponsesBody({} bytes)", self.body.len())
    }
}

#[cfg(test)]
mod tests;
