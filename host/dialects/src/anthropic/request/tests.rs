use super::*;
use crate::form::{
    ConversationRequest, Losses, Message, MessageRole, Part, ReasoningEffort, ReasoningRequest,
};

mod parse;
mod render;

/// Returns the body of a call for a request of this API, and the members that are lost.
fn again(body: &str) -> (String, Vec<String>) {
    let (request, mut losses) = parse_request(body.as_bytes()).expect("a request");
    let rendered = render_request(&request, &mut losses);
    (String::from_utf8(rendered.to_vec()).expect("UTF-8"), members(&losses))
}

fn render(request: &ConversationRequest) -> (String, Vec<String>) {
    let mut losses = Losses::default();
    let rendered = render_request(request, &mut losses);
    (String::from_utf8(rendered.to_vec()).expect("UTF-8"), members(&losses))
}

/// Returns the paths of losses; a binding one is marked.
fn members(losses: &Losses) -> Vec<String> {
    let binding = |loss: &crate::form::Loss| loss.weight == crate::form::LossWeight::Binding;
    losses.iter().map(|loss| format!("{}{}", loss.member, if binding(loss) { "!" } else { "" })).collect()
}

/// Returns a request of a user to a model.
fn request(model: &str) -> ConversationRequest {
    ConversationRequest {
        model: model.to_owned(),
        messages: vec![Message::new(MessageRole::User, vec![Part::text("hi")])],
        ..ConversationRequest::default()
    }
}

fn with_effort(model: &str, effort: ReasoningEffort) -> ConversationRequest {
    let reasoning = ReasoningRequest { effort: Some(effort), ..ReasoningRequest::default() };
    ConversationRequest { reasoning: Some(reasoning), ..request(model) }
}
