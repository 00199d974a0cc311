//! The body of a call: the client's request with the members that the call sets.

use std::ops::Range;

use bytes::Bytes;
use pointsman_conversation::{BodyChanges, EditableBody};
use pointsman_domain::serving_error::ServingError;
use serde_json::value::RawValue;

use crate::form::{ConversationRequest, Part, PartContent, SignatureOrigin};
use crate::json::{MemberPath, ObjectMembers, span_in};

/// Lowest budget of reasoning that the API accepts.
const MIN_BUDGET: u32 = 1_024;

/// Body of a client's request, with the spans of the values that calls replace.
#[derive(Clone, Debug)]
pub struct MessagesBody {
    body: EditableBody,
    /// Budget of reasoning, which has to be below `max_tokens`.
    budget: Option<(Range<usize>, u32)>,
}

impl MessagesBody {
    /// Finds the values in a body of `/v1/messages` or `/v1/messages/count_tokens`.
    ///
    /// # Errors
    /// Fails if the body is not an object with a `model`, or a number in it has another type.
    pub fn parse(body: &Bytes) -> Result<Self, ServingError> {
        let mut members = ObjectMembers::parse_request(body)?;
        let thinking = members.take("thinking").map(|value| budget(body, value));
        Ok(Self {
            body: EditableBody::find(body, &mut members, "max_tokens")?,
            budget: thinking.transpose()?.flatten(),
        })
    }

    /// Returns the body of a call to the model that its provider knows by this name. A limit that
    /// is lower than the client's replaces it, and a budget of reasoning that would not fit below
    /// it is reduced. Everything else stays as the client wrote it, and a large body is not copied.
    pub fn body_for(&self, upstream_name: &str, max_output_tokens: Option<u32>) -> Vec<Bytes> {
        let mut changes = BodyChanges::default();
        if let Some(limit) = max_output_tokens.filter(|&limit| self.body.is_lowered_by(limit))
            && let Some((span, _)) = self.budget.as_ref().filter(|(_, budget)| *budget >= limit)
        {
            changes.edits.push((span.clone(), (limit - limit / 4).max(MIN_BUDGET).to_string().into()));
        }
        self.body.body_for(upstream_name, max_output_tokens, changes)
    }
}

/// Returns the budget of reasoning, and the span of its value.
fn budget(body: &Bytes, thinking: &RawValue) -> Result<Option<(Range<usize>, u32)>, ServingError> {
    let path = MemberPath::Root.member("thinking");
    let Some(value) = ObjectMembers::parse(thinking, &path)?.take("budget_tokens") else { return Ok(None) };
    let budget = path.member("budget_tokens").parse(value, "a positive integer")?;
    Ok(Some((span_in(body, value), budget)))
}

/// Returns whether a request has reasoning that the provider did not sign itself, from an answer of
/// a model of another family. The provider rejects it, so such a request is rendered anew rather
/// than passed through.
pub fn has_foreign_reasoning(request: &ConversationRequest) -> bool {
    let is_own = |part: &Part| match &part.content {
        PartContent::Reasoning(reasoning) => [&part.signature, &reasoning.encrypted]
            .into_iter()
            .flatten()
            .any(|signature| signature.origin == SignatureOrigin::Anthropic),
        // The signature is in a block of its own.
        _ => part.signature.is_none(),
    };
    request.messages.iter().flat_map(|message| &message.parts).any(|part| !is_own(part))
}

#[cfg(test)]
mod tests;
