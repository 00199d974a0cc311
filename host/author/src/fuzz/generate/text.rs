//! Texts of many shapes.

use crate::fuzz::dictionary::{Dictionary, WordUse};
use crate::fuzz::random::Random;

/// Texts that policies for kinds of tasks look for.
const SNIPPETS: &[&str] = &[
    "What is the capital of Peru?",
    "Write a Rust function that reverses a string:\n```rust\nfn reverse(text: &str) -> String {\n```",
    "Solve 3x^2 + 2x - 7 = 0 and prove that the solution is unique. Think step by step.",
    "Translate into French: good morning",
    "Summarise the following text in one sentence.",
    "1. What is DNS? 2. What is TLS? 3. What is QUIC?",
    "- first?\n- second?\n- third?",
    "def main():\n    print('hello')\n",
    "SELECT * FROM users WHERE id = 1; --",
    "{\"answer\": [1, 2, {\"x\": null}]}",
    "https://example.com/a?b=c#d",
    "Hello",
    "yes",
    "no",
    "0",
    "-1",
    "1e400",
    "null",
];

/// Characters of one to four bytes, some of which join with others or do not show.
const CHARACTERS: &[&str] = &[
    "a",
    " ",
    "\n",
    "\t",
    "\r\n",
    "\0",
    "\u{7}",
    "\u{1b}[31m",
    "é",
    "ß",
    "İ",
    "ǆ",
    "漢",
    "字",
    "あ",
    "한",
    "א",
    "ع",
    "\u{301}",
    "\u{200d}",
    "\u{202e}",
    "\u{2028}",
    "\u{feff}",
    "\u{fffd}",
    "🙂",
    "👩‍👩‍👧",
    "🇵🇪",
    "𝒳",
    "\u{10ffff}",
    "\"",
    "\\",
    "`",
    "{",
    "}",
    "%s",
    "<",
    "&",
    "?",
    "!",
    "...",
    "0",
    "9",
];

/// Returns a text of at most this many bytes.
pub fn text(random: &mut Random, dictionary: &Dictionary, most: usize) -> String {
    let mut text = match random.below(16) {
        0 => String::new(),
        1 => random.pick(&[" ", "\n", "\n\n\n", "\t ", "\u{a0}"]).to_owned(),
        2..=5 => random.pick(SNIPPETS).to_owned(),
        6 | 7 => words(random, dictionary),
        8..=10 => characters(random),
        11 => {
            let (unit, times) = (random.pick(CHARACTERS), random.between(1, 300));
            unit.repeat(times)
        }
        12 => format!("{}\n\n{}", random.pick(SNIPPETS), characters(random)),
        13 => long(random, dictionary, 2_000),
        14 => long(random, dictionary, 12_000),
        _ if random.one_in(4) => long(random, dictionary, most),
        _ => words(random, dictionary),
    };
    text.truncate(text.floor_char_boundary(most));
    text
}

/// Returns a short text for a name or a key.
pub fn name(random: &mut Random, dictionary: &Dictionary) -> String {
    match random.below(6) {
        0 => characters(random).chars().take(12).collect(),
        1 => random.pick(&["a", "A", "team-a", "0", "x y", "ünïcode", "a/b/c"]).to_owned(),
        2 if random.one_in(4) => "n".repeat(random.between(64, 256)),
        _ => random.pick(&dictionary.words(WordUse::Text)).to_owned(),
    }
}

fn words(random: &mut Random, dictionary: &Dictionary) -> String {
    let known = dictionary.words(WordUse::Text);
    let count = random.between(1, 30);
    let word = |random: &mut Random| match random.below(4) {
        0 => random.pick(&known).to_owned(),
        1 => random.count().to_string(),
        _ => random.pick(&["the", "model", "code", "prove", "urgent", "please", "image", "why"]).to_owned(),
    };
    (0..count).map(|_| word(random)).collect::<Vec<_>>().join(" ")
}

fn characters(random: &mut Random) -> String {
    let count = random.between(1, 60);
    (0..count).map(|_| random.pick(CHARACTERS)).collect()
}

fn long(random: &mut Random, dictionary: &Dictionary, most: usize) -> String {
    let unit = match random.below(4) {
        0 => random.pick(SNIPPETS).to_owned(),
        1 => characters(random),
        2 => "a".to_owned(),
        _ => words(random, dictionary),
    };
    let bytes = random.between(most / 4, most);
    (unit + " ").repeat(bytes.div_ceil(8)).chars().take(bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_empty_long_and_of_all_widths_within_the_bound() {
        let mut random = Random::of(1, 1);
        let dictionary = Dictionary::default();
        let texts: Vec<String> = (0..600).map(|_| text(&mut random, &dictionary, 20_000)).collect();
        assert!(texts.iter().all(|text| text.len() <= 20_000));
        assert!(texts.iter().any(String::is_empty) && texts.iter().any(|text| text.len() > 10_000));
        for width in 1..=4 {
            assert!(texts.iter().any(|text| text.chars().any(|it| it.len_utf8() == width)), "{width}");
        }
        assert!((0..200).all(|_| name(&mut random, &dictionary).len() <= 256));
    }
}
