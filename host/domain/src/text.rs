//! Untrusted text in headers, logs, records and on terminals.

use std::fmt::Write;

/// Returns whether a character can be displayed unchanged: it is visible, does not end a line, and
/// does not control a terminal or the direction of text.
///
/// Not printable are control characters, the line and paragraph separators, and the characters that
/// Unicode calls default ignorable or format characters: marks of direction, joiners, fillers,
/// tags. The two selectors between text and emoji are printable.
pub fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0d}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Returns a text in a form that can be displayed: truncated after `max_bytes` with `…`, and with
/// escapes such as `\u{202e}` for characters that are not [printable](is_printable). Escapes make
/// it up to three times as long.
pub fn printable(text: &str, max_bytes: usize) -> String {
    let cut = &text[..text.floor_char_boundary(max_bytes)];
    let mut printable = String::with_capacity(cut.len());
    for character in cut.chars() {
        if is_printable(character) {
            printable.push(character);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(printable, "{}", character.escape_default());
        }
    }
    if cut.len() < text.len() {
        printable.push('…');
    }
    printable
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_of_any_language_stays_as_it_is() {
        for text in ["", "plain \\ \"text\"", "näh 漢字 ✓ עברית हिन्दी", "😀 ❤\u{fe0f} ✍\u{fe0e}"]
        {
            assert_eq!(printable(text, 1_000), text);
        }
    }

    #[test]
    fn control_and_invisible_characters_are_escaped() {
        let hidden = [
            ("\u{1b}[2J", r"\u{1b}[2J"),
            ("a\r\n\tb", r"a\r\n\tb"),
            ("\u{9b}31m\u{7f}\0", r"\u{9b}31m\u{7f}\u{0}"),
            (
                "\u{202e}gnol\u{2066}\u{2069}\u{200e}\u{200f}\u{61c}",
                r"\u{202e}gnol\u{2066}\u{2069}\u{200e}\u{200f}\u{61c}",
            ),
            ("a\u{2028}b\u{2029}c\u{85}", r"a\u{2028}b\u{2029}c\u{85}"),
            (
                "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}",
                r"\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}",
            ),
            ("\u{e0041}\u{e007f}\u{e0100}", r"\u{e0041}\u{e007f}\u{e0100}"),
            ("\u{3164}\u{115f}\u{fff9}\u{180e}", r"\u{3164}\u{115f}\u{fff9}\u{180e}"),
        ];
        for (text, shown) in hidden {
            assert_eq!(printable(text, 1_000), shown);
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(printable("äää", 5), "ää…");
        assert_eq!(printable("äää", 6), "äää");
        assert_eq!(printable("ä", 0), "…");
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left_and_twice_is_as_once(text in any::<String>(), max in 0..64_usize) {
            let shown = printable(&text, max);
            prop_assert!(shown.chars().all(is_printable), "{:?}", shown);
            prop_assert!(shown.len() <= 3 * max + '…'.len_utf8());
            prop_assert_eq!(&printable(&shown, usize::MAX), &shown);
        }
    }
}
