//! Signs: features of a text with a meaning of their own, each scaled to about 0..1.

use crate::classify::{kind_of, tool_overlap, weight};
use crate::scan::{Signs, scan};
use crate::{Facts, Task};

/// Number of signs.
pub const SIGNS: usize = 22 + 2 * Task::ALL.len();

/// Names of the signs, for reports.
pub const SIGN_NAMES: [&str; 22] = [
    "length",
    "lines",
    "words",
    "word length",
    "digits",
    "capitals",
    "punctuation",
    "other than ASCII",
    "numbers",
    "formulas",
    "code marks",
    "questions",
    "choices",
    "names",
    "parts",
    "blanks",
    "asks for a fact",
    "asks how or why",
    "asks for a number",
    "turns",
    "tools",
    "tools that are named",
];

/// Words at the beginning of a question about a fact.
const FACT_WORDS: [&str; 6] = ["who", "when", "where", "which", "what", "whose"];
/// Words at the beginning of a question for an explanation.
const EXPLANATION_WORDS: [&str; 3] = ["how", "why", "explain"];

/// Counts of characters.
#[derive(Default)]
struct Counts {
    bytes: u64,
    lines: u64,
    words: u64,
    digits: u64,
    capitals: u64,
    punctuation: u64,
    foreign: u64,
}

impl Counts {
    fn of(text: &str) -> Self {
        let mut counts = Self { bytes: text.len() as u64, lines: 1, ..Self::default() };
        let mut in_word = false;
        for byte in text.bytes() {
            let is_letter = byte.is_ascii_alphanumeric() || byte >= 0x80;
            counts.words += u64::from(is_letter && !in_word);
            in_word = is_letter;
            match byte {
                b'\n' => counts.lines += 1,
                b'0'..=b'9' => counts.digits += 1,
                b'A'..=b'Z' => counts.capitals += 1,
                0x80.. => counts.foreign += 1,
                _ => counts.punctuation += u64::from(byte.is_ascii_punctuation()),
            }
        }
        counts
    }

    /// Returns a count as a share of all bytes.
    fn share(&self, count: u64) -> f64 {
        count as f64 / self.bytes.max(1) as f64
    }
}

/// Returns the signs of a request: those of [`SIGN_NAMES`], then for each task whether the request is of that
/// kind, with the last of them for hard ones, then how strongly words speak for it.
pub(crate) fn signs(facts: &Facts<'_>) -> [f64; SIGNS] {
    let scanned = scan(facts.text);
    let counts = Counts::of(facts.text);
    let kind = kind_of(facts, &scanned);
    let mut signs = [0.0; SIGNS];
    let (plain, by_task) = signs.split_at_mut(SIGN_NAMES.len());
    plain.copy_from_slice(&plain_signs(facts, &scanned, &counts));
    let (of_kind, strengths) = by_task.split_at_mut(Task::ALL.len());
    for ((task, is_kind), strength) in Task::ALL.into_iter().zip(of_kind).zip(strengths) {
        // Sound is a kind without words, so its place serves all hard requests.
        *is_kind = if task == Task::Audio { flag(kind.hard) } else { flag(kind.task == task) };
        *strength = logarithm(u64::from(weight(&scanned, task))) / 6.0;
    }
    signs
}

fn plain_signs(facts: &Facts<'_>, scanned: &Signs, counts: &Counts) -> [f64; SIGN_NAMES.len()] {
    let log = |count: u32, scale: f64| logarithm(u64::from(count)) / scale;
    let opening = Opening::of(facts.text);
    let named = tool_overlap(facts.tools, facts.text);
    let tools = facts.tools.len();
    [
        logarithm(counts.bytes) / 12.0,
        logarithm(counts.lines) / 6.0,
        logarithm(counts.words) / 10.0,
        (counts.bytes as f64 / counts.words.max(1) as f64 / 10.0).min(2.0),
        4.0 * counts.share(counts.digits),
        4.0 * counts.share(counts.capitals),
        4.0 * counts.share(counts.punctuation),
        counts.share(counts.foreign),
        log(scanned.numbers, 5.0),
        log(scanned.formulas, 5.0),
        log(scanned.code_marks, 5.0),
        log(scanned.questions, 3.0),
        log(scanned.choices, 4.0),
        log(scanned.names, 5.0),
        log(scanned.parts, 5.0),
        log(scanned.blanks, 3.0),
        flag(opening.starts_with(&FACT_WORDS)),
        flag(opening.starts_with(&EXPLANATION_WORDS)),
        flag(asks_for_number(facts.text)),
        log(facts.turns, 5.0),
        logarithm(tools as u64) / 5.0,
        named as f64 / tools.max(1) as f64,
    ]
}

/// The first word of a text.
struct Opening<'a>(&'a str);

impl<'a> Opening<'a> {
    fn of(text: &'a str) -> Self {
        Self(text.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).unwrap_or_default())
    }

    fn starts_with(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.0.eq_ignore_ascii_case(word))
    }
}

/// Returns true for a text with `how many` or `how much`.
fn asks_for_number(text: &str) -> bool {
    let is_phrase = |window: &[u8]| {
        window.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"how m"))
            && window
                .get(5..)
                .is_some_and(|end| end.eq_ignore_ascii_case(b"any") || end.eq_ignore_ascii_case(b"uch"))
    };
    text.as_bytes().windows(8).any(is_phrase)
}

fn flag(is_true: bool) -> f64 {
    f64::from(u8::from(is_true))
}

/// Returns about the logarithm of `count + 1` to base 2: exact at powers of two, and linear between them, so
/// that it needs no function that differs from one platform to the next.
fn logarithm(count: u64) -> f64 {
    let value = count.saturating_add(1);
    let whole = value.ilog2();
    let rest = value - (1 << whole);
    f64::from(whole) + rest as f64 / (1_u64 << whole) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_exact_at_powers_of_two_and_grow() {
        assert_eq!([0, 1, 3, 7, 1023].map(logarithm), [0.0, 1.0, 2.0, 3.0, 10.0]);
        assert_eq!(logarithm(2), 1.5);
        assert!((1..5000).all(|count| logarithm(count) > logarithm(count - 1)));
        assert!(logarithm(u64::MAX) >= 63.0);
    }

    #[test]
    fn signs_say_what_their_names_say() {
        let of = |text: &str, name: &str| {
            let place = SIGN_NAMES.iter().position(|known| *known == name).unwrap();
            signs(&Facts { text, ..Facts::default() })[place]
        };
        assert!(of("Who was it?", "asks for a fact") > of("It was Ann.", "asks for a fact"));
        assert!(of("  Why not?", "asks how or why") > of("Not now", "asks how or why"));
        assert!(of("Say how Much it is", "asks for a number") > of("Say how it is", "asks for a number"));
        assert!(of("a 12", "digits") > of("a b", "digits"));
        assert!(of("übermäßig", "other than ASCII") > 0.0);
        assert!(of("a\nb\nc", "lines") > of("a b c", "lines"));
        assert_eq!(of("", "length"), 0.0);
    }

    #[test]
    fn tools_that_are_named_count() {
        let tools = ["get_weather".to_owned(), "book_flight".to_owned()];
        let text = "What is the weather?";
        let signs = signs(&Facts { text, tools: &tools, needs_tools: true, ..Facts::default() });
        assert_eq!(signs[21], 0.5);
    }
}
