//! Foreign text on a terminal.
//!
//! Responses contain text of clients, policies and model servers. None of it may move the
//! cursor, set colours, rename the terminal or change the direction of text.

use pointsman_domain::text::is_printable;
use serde_json::Value;

/// Replacement for characters that are not printable.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// Replaces the characters that a terminal would interpret.
pub fn text(text: &str) -> String {
    text.chars().map(printable).collect()
}

/// Does the same for all text in JSON.
pub fn json(value: Value) -> Value {
    match value {
        Value::String(string) => text(&string).into(),
        Value::Array(values) => values.into_iter().map(json).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (text(&name), json(value))).collect()
        }
        other => other,
    }
}

fn printable(character: char) -> char {
    match character {
        '\n' | '\r' | '\t' => ' ',
        character if is_printable(character) => character,
        _ => REPLACEMENT,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_text_controls_a_terminal() {
        let hostile = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}evil\u{7f}\r\n";
        assert_eq!(text(hostile), "\u{fffd}[2J\u{fffd}]0;owned\u{fffd}\u{fffd}31m\u{fffd}evil\u{fffd}  ");
        assert_eq!(json(json!({ "a\u{1b}": [1, "b\u{8}"] })), json!({ "a\u{fffd}": [1, "b\u{fffd}"] }));
        assert_eq!(text("näh 漢字 ✓"), "näh 漢字 ✓");
    }
}
