//! Rendering of whole answers.

use bytes::Bytes;
use pointsman_domain::usage::Usage;

use super::echoed::EchoedMembers;
use super::event::EventWriter;
use super::item::ItemStatus;
use super::output::Output;
use super::response::{IncompleteDetails, Response, ResponseIdentity};
use crate::form::{AnswerIdentity, ConversationAnswer, Part, PartContent, PartDelta, PartStart, ToolInput};

/// Renders a whole answer as a response object.
pub fn render_answer(
    answer: &ConversationAnswer,
    identity: &AnswerIdentity,
    echoed: &EchoedMembers,
    usage: Usage,
) -> Bytes {
    let mut count = 0;
    let mut events = EventWriter::silent(&mut count);
    let mut output = Output::new(identity.id.clone());
    for part in &answer.parts {
        add_part(part, &mut output, echoed, &mut events);
    }
    let incomplete = IncompleteDetails::of(&answer.stop, output.has_refusal());
    output.close(ItemStatus::at_end(incomplete.is_some()), &mut events);
    let identity = ResponseIdentity::new(identity, &answer.model, answer.created);
    let response = Response::new(&identity, echoed).with_output(output.items()).ended(incomplete, usage);
    // Strings, numbers and JSON into a vector: this cannot fail.
    serde_json::to_vec(&response).unwrap_or_default().into()
}

/// Adds a whole part, as a stream would: so both have the same items.
fn add_part(part: &Part, output: &mut Output, echoed: &EchoedMembers, events: &mut EventWriter<'_>) {
    let text = |text: &String| vec![PartDelta::Text(text.clone())];
    let (start, mut deltas) = match &part.content {
        PartContent::Text { text, citations } => {
            let citations = citations.iter().map(|citation| PartDelta::Citation(Box::new(citation.clone())));
            let text = PartDelta::Text(text.clone());
            (PartStart::Text, std::iter::once(text).chain(citations).collect())
        }
        PartContent::Refusal(refusal) => (PartStart::Refusal, text(refusal)),
        PartContent::Reasoning(reasoning) => {
            let encrypted = reasoning.encrypted.clone().map(PartDelta::Encrypted);
            let start = PartStart::Reasoning { is_summary: reasoning.is_summary };
            (start, text(&reasoning.text).into_iter().chain(encrypted).collect())
        }
        PartContent::ToolCall(call) => {
            let (ToolInput::Json(input) | ToolInput::Text(input)) = &call.input;
            let takes_text = matches!(call.input, ToolInput::Text(_));
            let start = PartStart::ToolCall { id: call.id.clone(), name: call.name.clone(), takes_text };
            (start, vec![PartDelta::ToolInput(input.clone())])
        }
        PartContent::Provider(part) => (PartStart::Provider(Box::new(part.clone())), Vec::new()),
        content @ PartContent::Image { .. } => (PartStart::Media(Box::new(content.clone())), Vec::new()),
        PartContent::Audio(_)
        | PartContent::Video(_)
        | PartContent::Document(_)
        | PartContent::ToolResult(_) => return,
    };
    deltas.extend(part.signature.clone().map(PartDelta::Signature));
    output.begin(&start, echoed, events);
    deltas.iter().for_each(|delta| output.add(delta, events));
    output.end_part(events);
}

#[cfg(test)]
mod tests;
