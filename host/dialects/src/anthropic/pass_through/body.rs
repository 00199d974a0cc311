//! The body of a call: the client's request with the members that the call sets.

use std::ops::Range;

use bytes::Bytes;
use pointsman_domain::serving_error::ServingError;
use pointsman_wire::edited;
use serde_json::value::RawValue;

use crate::form::{ConversationRequest, Part, PartContent, SignatureOrigin};
use crate::json::{MemberPath, ObjectMembers, span_in};

/// Lowest budget of reasoning that the API accepts.
const MIN_BUDGET: u32 = 1_024;

/// Body of a client's request, with the spans of the values that calls replace.
#[derive(Clone, Debug)]
pub struct MessagesBody {
    body: Bytes,
    /// Span of the value of `model`, quotes included.
    model: Range<usize>,
    max_tokens: Option<(Range<usize>, u32)>,
    /// Budget of reasoning, which has to be below `max_tokens`.
    budget: Option<(Range<usize>, u32)>,
}

impl MessagesBody {
    /// Finds the values in a body of `/v1/messages` or `/v1/messages/count_tokens`.
    ///
    /// # Errors
    /// Fails if the body is not an object with a `model`, or a number in it has another type.
    pub fn parse(body: Bytes) -> Result<Self, ServingError> {
        let root = MemberPath::Root;
        let mut members = ObjectMembers::parse_request(&body)?;
        let model: &RawValue = members.require("model", &root, "a string")?;
        root.member("model").parse::<String>(model, "a string")?;
        let model = span_in(&body, model);
        let max_tokens = take_limit(&body, &mut members, "max_tokens", &root)?;
        let budget = match members.take("thinking") {
            Some(thinking) => {
                let path = root.member("thinking");
                take_limit(&body, &mut ObjectMembers::parse(thinking, &path)?, "budget_tokens", &path)?
            }
            None => None,
        };
        Ok(Self { model, max_tokens, budget, body })
    }

    /// Returns the body as the client sent it.
    pub const fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// Returns the body of a call to the model that its provider knows by this name. A limit that
    /// is lower than the client's replaces it, and a budget of reasoning that would not fit below
    /// it is reduced. Everything else stays as the client wrote it, and a large body is not copied.
    pub fn body_for(&self, upstream_name: &str, max_output_tokens: Option<u32>) -> Vec<Bytes> {
        // A string into a string: this cannot fail.
        let name = serde_json::to_string(upstream_name).unwrap_or_default();
        let mut edits = vec![(self.model.clone(), Bytes::from(name))];
        let lowered = self.max_tokens.as_ref().zip(max_output_tokens).filter(|((_, own), limit)| own > limit);
        if let Some(((span, _), limit)) = lowered {
            edits.push((span.clone(), limit.to_string().into()));
            if let Some((span, _)) = self.budget.as_ref().filter(|(_, budget)| *budget >= limit) {
                edits.push((span.clone(), (limit - limit / 4).max(MIN_BUDGET).to_string().into()));
            }
        }
        edits.sort_by_key(|(span, _)| span.start);
        edited(&self.body, edits)
    }
}

fn take_limit<'a>(
    body: &Bytes,
    members: &mut ObjectMembers<'a>,
    name: &'a str,
    path: &MemberPath<'_>,
) -> Result<Option<(Range<usize>, u32)>, ServingError> {
    let Some(value) = members.take(name) else { return Ok(None) };
    let limit = path.member(name).parse(value, "a positive integer")?;
    Ok(Some((span_in(body, value), limit)))
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
