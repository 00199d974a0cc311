//! Text of the outputs of tasks, for policies that read them.

use std::sync::Arc;

use pointsman_domain::plan::{ComposedPart, TaskInput};

/// Text that outputs repeat: ASCII, so that it can be cut anywhere.
const FILLER: &str = "The answer is as long as that of a model, and says nothing in particular. ";
/// Bytes of text for each token, as the gateway estimates tokens.
const BYTES_PER_TOKEN: usize = 4;
/// Most tokens of an output that are written out.
const MAX_TOKENS: usize = 16_384;
/// Beginning of the line with which models state a confidence, if an instruction asks for it.
const CONFIDENCE: &str = "CONFIDENCE: ";

/// Returns an output of a number of tokens. If the input of the task asks for a confidence, the last
/// line states this one in percent.
pub(super) fn text(tokens: u32, input: &[TaskInput], confidence: u32) -> Arc<str> {
    let bytes = (tokens as usize).min(MAX_TOKENS) * BYTES_PER_TOKEN;
    let mut text = FILLER.repeat(bytes / FILLER.len() + 1);
    text.truncate(bytes);
    if asks_for_confidence(input) {
        text += &format!("\n{CONFIDENCE}{confidence}");
    }
    text.into()
}

fn asks_for_confidence(input: &[TaskInput]) -> bool {
    let messages = input.iter().filter_map(|input| match input {
        TaskInput::Message(message) => Some(&message.content),
        TaskInput::Conversation(_) => None,
    });
    messages.flatten().any(|part| matches!(part, ComposedPart::Text(text) if text.contains(CONFIDENCE)))
}

#[cfg(test)]
mod tests {
    use pointsman_domain::plan::{ComposedMessage, MessageRole};

    use super::*;

    #[test]
    fn an_output_has_the_length_of_its_tokens_and_a_confidence_where_one_is_asked_for() {
        assert_eq!(text(25, &[], 70).len(), 100);
        assert_eq!(text(u32::MAX, &[], 70).len(), MAX_TOKENS * BYTES_PER_TOKEN);
        let content = vec![ComposedPart::Text("End with the line CONFIDENCE: NUMBER".to_owned())];
        let input = [TaskInput::Message(ComposedMessage { role: MessageRole::System, content })];
        assert!(text(25, &input, 70).ends_with("\nCONFIDENCE: 70"));
    }
}
