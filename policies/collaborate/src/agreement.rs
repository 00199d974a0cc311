//! The similarity of answers.
//!
//! Lexical, and meant to err towards "not alike", which costs a round and loses
//! nothing:
//!
//! - Both end in a line `Answer: …` (or `Final answer: …`): 1 when these lines say
//!   the same, else 0. How they came to it does not matter.
//! - The numbers in them are not the same: 0. "It is 12" and "It is 13" share most
//!   of their words.
//! - Else the share of words that they have in common: `|A ∩ B| / |A ∪ B|`, A and
//!   B being the sets of their words.
//!
//! Case, punctuation, order and repetition do not count. A word is a run of
//! letters and digits. It does not see that one little "not" turns a long answer
//! round.

use std::collections::BTreeSet;

/// Returns the lowest similarity of any two answers, 0..1; 0 for fewer than two answers.
pub(crate) fn least(answers: &[String]) -> f64 {
    let read: Vec<Answer<'_>> = answers.iter().map(|text| Answer::read(text)).collect();
    let pairs =
        read.iter().enumerate().flat_map(|(at, one)| read[at + 1..].iter().map(move |other| one.like(other)));
    pairs.reduce(f64::min).unwrap_or(0.0)
}

/// The parts of an answer that are compared.
struct Answer<'a> {
    last: Option<&'a str>,
    words: BTreeSet<String>,
}

impl<'a> Answer<'a> {
    fn read(text: &'a str) -> Self {
        Self { last: final_answer(text), words: words(text) }
    }

    fn like(&self, other: &Self) -> f64 {
        if let (Some(mine), Some(theirs)) = (self.last, other.last) {
            return if in_order(mine) == in_order(theirs) { 1.0 } else { 0.0 };
        }
        if !numbers(&self.words).eq(numbers(&other.words)) {
            return 0.0;
        }
        let all = self.words.union(&other.words).count();
        if all == 0 {
            return 0.0;
        }
        self.words.intersection(&other.words).count() as f64 / all as f64
    }
}

/// Returns the text after `Answer:` in the last line, if there is any.
fn final_answer(text: &str) -> Option<&str> {
    let line = text.trim_end().lines().next_back()?;
    let line = line.trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '#' | '`' | '_'));
    let (name, said) = line.split_once(':')?;
    let is_named = name.eq_ignore_ascii_case("answer") || name.eq_ignore_ascii_case("final answer");
    (is_named && said.chars().any(|c| !matches!(c, '*' | '_' | '`') && !c.is_whitespace())).then_some(said)
}

/// A short text, in small letters, without what only decorates it. Signs such as
/// `-` and `%` stay: they change what is meant.
fn in_order(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '*' | '`' | '_' | '$'));
    let text: String = kept.flat_map(char::to_lowercase).collect();
    text.trim_end_matches('.').to_owned()
}

fn words(text: &str) -> BTreeSet<String> {
    // A point or a comma between digits belongs to a number: 3.5 is not 35.
    let mut words = BTreeSet::new();
    for run in text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | ',' | '-')) {
        let run = run.trim_end_matches(['.', ',', '-']);
        if run.trim_start_matches('-').starts_with(|c: char| c.is_numeric()) {
            words.insert(run.to_lowercase());
            continue;
        }
        let split = run.split(['.', ',', '-']).filter(|word| !word.is_empty());
        words.extend(split.map(str::to_lowercase));
    }
    words
}

fn numbers(words: &BTreeSet<String>) -> impl Iterator<Item = &String> {
    words.iter().filter(|word| word.contains(char::is_numeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(one: &str, other: &str) -> f64 {
        least(&[one.to_owned(), other.to_owned()])
    }

    #[test]
    fn case_punctuation_order_and_repetition_do_not_count() {
        assert_eq!(like("The capital is **Lima**.", "the capital (is, is) LIMA!"), 1.0);
        assert_eq!(like("ÄPFEL und Birnen", "Birnen und äpfel"), 1.0);
        assert_eq!(like("日本の首都は東京", "日本の首都は東京。"), 1.0);
    }

    #[test]
    fn the_share_of_common_words_counts() {
        assert_eq!(like("red green blue", "red green white"), 0.5);
        assert_eq!(like("red", "blue"), 0.0);
    }

    #[test]
    fn other_numbers_are_another_answer() {
        assert_eq!(like("It is about 12 metres high.", "It is about 13 metres high."), 0.0);
        assert_eq!(like("It is 3.5.", "It is 35."), 0.0);
        assert_eq!(like("It is -3.", "It is 3."), 0.0);
        assert_eq!(like("It is 3.", "It is 3,"), 1.0);
    }

    #[test]
    fn a_final_line_counts_before_the_words() {
        assert_eq!(like("First 2, then 3.\n**Answer: 5**", "Easy!\n\nFinal answer: 5.\n"), 1.0);
        assert_eq!(like("The same words.\nAnswer: yes", "The same words.\nAnswer: no"), 0.0);
        assert_eq!(like("x\nAnswer: -5", "x\nAnswer: 5"), 0.0);
        assert_eq!(like("Answer: 5\nI hope.", "Answer: 6\nI hope."), 0.0, "no last line, but another number");
    }

    #[test]
    fn nothing_agrees_with_nothing() {
        assert_eq!((like("", ""), like("...", "***"), like("", "x")), (0.0, 0.0, 0.0));
        assert_eq!((least(&[]), least(&["x".to_owned()])), (0.0, 0.0));
        assert_eq!(like("Answer:", "Answer:"), 1.0, "the word alone is a word");
    }

    #[test]
    fn the_least_alike_two_count() {
        let answers = ["a b", "a b", "a c"].map(str::to_owned);
        assert!((least(&answers) - 1.0 / 3.0).abs() < 1e-9);
    }
}
