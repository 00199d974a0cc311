//! Whole answers.

use super::stream::{GeminiStreamReader, parse_responses};
use crate::form::{
    AnswerEvent, ConversationAnswer, InvalidAnswer, Part, PartContent, PartDelta, PartStart, Reasoning,
    StreamReader, ToolCall, ToolInput,
};

/// Parses a whole answer.
///
/// # Errors
/// Fails if it is no answer of this API, or reports an error.
pub fn parse_answer(body: &[u8]) -> Result<ConversationAnswer, InvalidAnswer> {
    let responses = parse_responses(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => InvalidAnswer::WrongShape(format!("it is no answer: {error}")),
        _ => InvalidAnswer::NotJson(error.to_string()),
    })?;
    let mut reader = GeminiStreamReader::new();
    let mut events = Vec::new();
    for response in responses {
        reader.read_response(response, &mut events);
    }
    let has_stop = reader.has_stop();
    reader.finish(&mut events);
    let mut answer = ConversationAnswer::default();
    for event in events {
        match event {
            AnswerEvent::Start(start) => {
                (answer.id, answer.created, answer.model) = (start.id, start.created, start.model);
            }
            AnswerEvent::PartStart(start) => answer.parts.push(new_part(start)),
            AnswerEvent::Delta(delta) => {
                if let Some(part) = answer.parts.last_mut() {
                    add_delta(part, delta);
                }
            }
            AnswerEvent::Stop(stop) => answer.stop = stop,
            AnswerEvent::Usage(count) => answer.count.update(count),
            AnswerEvent::Error(error) => return Err(InvalidAnswer::Reported(error)),
            AnswerEvent::PartEnd | AnswerEvent::Done => {}
        }
    }
    if answer.parts.is_empty() && !has_stop {
        return Err(InvalidAnswer::Empty);
    }
    Ok(answer)
}

fn new_part(start: PartStart) -> Part {
    Part::new(match start {
        PartStart::Text => PartContent::Text { text: String::new(), citations: Vec::new() },
        PartStart::Reasoning { is_summary } => {
            PartContent::Reasoning(Reasoning { is_summary, ..Reasoning::default() })
        }
        PartStart::Refusal => PartContent::Refusal(String::new()),
        PartStart::Media(content) => *content,
        PartStart::Provider(part) => PartContent::Provider(*part),
        PartStart::ToolCall { id, name, .. } => {
            PartContent::ToolCall(ToolCall { id, name, input: ToolInput::Json(String::new()) })
        }
    })
}

/// Adds a delta to a part of its kind. The reader makes no other.
fn add_delta(part: &mut Part, delta: PartDelta) {
    match (&mut part.content, delta) {
        (_, PartDelta::Signature(signature)) => part.signature = Some(signature),
        (PartContent::Text { text, .. } | PartContent::Refusal(text), PartDelta::Text(delta)) => {
            append(text, delta);
        }
        (PartContent::Reasoning(reasoning), PartDelta::Text(delta)) => append(&mut reasoning.text, delta),
        (PartContent::Reasoning(reasoning), PartDelta::Encrypted(value)) => reasoning.encrypted = Some(value),
        (PartContent::Text { citations, .. }, PartDelta::Citation(citation)) => citations.push(*citation),
        (PartContent::ToolCall(call), PartDelta::ToolInput(input)) => call.input = ToolInput::Json(input),
        _ => {}
    }
}

/// Appends a text, without copying the first.
fn append(text: &mut String, delta: String) {
    if text.is_empty() {
        *text = delta;
    } else {
        text.push_str(&delta);
    }
}
