//! Parsing of requests.

mod content;
mod members;
mod messages;
mod tools;

use pointsman_domain::serving_error::ServingError;

use crate::form::{ConversationRequest, Losses};
use crate::json::{MemberPath, ObjectMembers};

pub(super) use self::content::ThinkingText;
pub(crate) use self::members::{SharedMembers, extra};
pub(super) use self::tools::text_or_json;

/// Parses a request for chat completions. The losses are what the common form cannot hold.
///
/// # Errors
/// Fails if the body is not a request: the error names the member.
pub fn parse_request(body: &[u8]) -> Result<(ConversationRequest, Losses), ServingError> {
    let root = &MemberPath::Root;
    let mut losses = Losses::default();
    let mut members = ObjectMembers::parse_request(body)?;
    let mut request = ConversationRequest {
        model: members.require("model", root, "a string")?,
        messages: messages::parse(&mut members, &mut losses)?,
        output_format: members::output_format(&mut members, &mut losses)?,
        reasoning: members::reasoning(&mut members, &mut losses)?,
        ..ConversationRequest::default()
    };
    tools::parse(&mut members, &mut request, &mut losses)?;
    SharedMembers::parse(&mut members, &mut losses)?.set(&mut request);
    request.extra.extend(extra(members));
    request.name_tool_results();
    Ok((request, losses))
}

/// Records members that are left out, as they are not known.
fn leave_out(rest: ObjectMembers<'_>, path: &MemberPath<'_>, losses: &mut Losses) {
    for (name, _) in rest.rest() {
        losses.advisory(path.member(&name).to_string());
    }
}

#[cfg(test)]
mod tests;
