//! Text of the outputs of tasks, for policies that read them.

use std::sync::Arc;

use pointsman_domain::plan::{ComposedPart, TaskInput};

use crate::random::Random;

/// Words of outputs: ASCII, so that a text of them can be cut anywhere.
const WORDS: [&str; 32] = [
    "account", "bridge", "cargo", "delay", "engine", "figure", "garden", "harbour", "island", "journey",
    "kitchen", "ladder", "market", "number", "office", "paper", "quarter", "river", "station", "ticket",
    "uncle", "valley", "window", "yellow", "zone", "answer", "bicycle", "corner", "door", "evening", "field",
    "glass",
];
/// Bytes of text for each token, as the gateway estimates tokens.
const BYTES_PER_TOKEN: usize = 4;
/// Most tokens of an output that are written out.
const MAX_TOKENS: usize = 16_384;
/// Beginning of the line with which models state a confidence, if an instruction asks for it.
const CONFIDENCE: &str = "CONFIDENCE: ";

/// Returns an output of a number of tokens, made of random words, so that no two outputs are alike. If the
/// input of the task asks for a confidence, the last line states one of 40 to 100 %.
pub(super) fn text(tokens: u32, input: &[TaskInput], random: &mut Random) -> Arc<str> {
    let bytes = (tokens as usize).min(MAX_TOKENS) * BYTES_PER_TOKEN;
    let mut text = String::with_capacity(bytes + 32);
    while text.len() < bytes {
        text += WORDS.get(random.below(WORDS.len())).copied().unwrap_or_default();
        text.push(' ');
    }
    text.truncate(bytes);
    if asks_for_confidence(input) {
        text += &format!("\n{CONFIDENCE}{}", 40 + random.below(61));
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
        let mut random = Random::new(1);
        let first = text(25, &[], &mut random);
        assert_eq!(first.len(), 100);
        assert_ne!(text(25, &[], &mut random), first, "models do not agree by chance");
        assert_eq!(text(u32::MAX, &[], &mut random).len(), MAX_TOKENS * BYTES_PER_TOKEN);
        let content = vec![ComposedPart::Text("End with the line CONFIDENCE: NUMBER".to_owned())];
        let input = [TaskInput::Message(ComposedMessage { role: MessageRole::System, content })];
        let stated = text(25, &input, &mut random);
        let confidence: u32 = stated.rsplit_once("\nCONFIDENCE: ").unwrap().1.parse().unwrap();
        assert!((40..=100).contains(&confidence));
    }
}
