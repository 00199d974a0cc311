//! Foreign text on a terminal.
//!
//! What a gateway tells comes from clients, policies and models' servers. None of
//! them may move the cursor, colour or rename a terminal, or turn text around in it.

use pointsman_domain::text::is_printable;
use serde_json::Value;

/// What stands for a character that is left out.
const LEFT_OUT: char = char::REPLACEMENT_CHARACTER;

/// The text without what a terminal would take for a command.
pub(super) fn text(text: &str) -> String {
    text.chars().map(printable).collect()
}

/// The same for all texts in JSON.
pub(super) fn json(value: Value) -> Value {
    match value {
        Value::String(string) => text(&string).into(),
        Value::Array(values) => values.into_iter().map(json).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (text(&name), json(value))).collect()
        }
        other => other,
    }
}

fn printable(letter: char) -> char {
    match letter {
        '\n' | '\r' | '\t' => ' ',
        letter if is_printable(letter) => letter,
        _ => LEFT_OUT,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_text_drives_a_terminal() {
        let hostile = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}evil\u{7f}\r\n";
        let told = text(hostile);
        assert_eq!(told, "\u{fffd}[2J\u{fffd}]0;owned\u{fffd}\u{fffd}31m\u{fffd}evil\u{fffd}  ");
        assert_eq!(json(json!({ "a\u{1b}": [1, "b\u{8}"] })), json!({ "a\u{fffd}": [1, "b\u{fffd}"] }));
        assert_eq!(text("näh 漢字 ✓"), "näh 漢字 ✓");
    }
}
