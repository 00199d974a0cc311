//! Words and numbers of a prompt, which values take up.

use super::super::chat::subject;

/// Words of a prompt that values do not need more of.
const MAX_WORDS: usize = 32;

/// Words and numbers of a prompt, in their order.
#[derive(Clone, Debug)]
pub(crate) struct Hints {
    /// Names: capitalised words within sentences.
    names: Vec<String>,
    numbers: Vec<f64>,
    subject: String,
    next_name: usize,
    next_number: usize,
    /// Number of the variation, if values have to differ.
    variation: usize,
}

impl Hints {
    pub(crate) fn of(prompt: &str) -> Self {
        let mut names: Vec<String> = Vec::new();
        let mut numbers = Vec::new();
        let mut starts_sentence = true;
        for word in prompt.split_whitespace() {
            let plain = word.trim_matches(|c: char| !c.is_alphanumeric());
            if let Ok(number) = plain.parse::<f64>()
                && number.is_finite()
                && numbers.len() < MAX_WORDS
            {
                numbers.push(number);
            }
            let is_name = plain.chars().next().is_some_and(char::is_uppercase) && plain.chars().count() > 1;
            if is_name && !starts_sentence && names.len() < MAX_WORDS && !names.iter().any(|it| it == plain) {
                names.push(plain.to_owned());
            }
            starts_sentence = word.ends_with(['.', '!', '?', ':']);
        }
        let subject = subject(prompt);
        Self { names, numbers, subject, next_name: 0, next_number: 0, variation: 0 }
    }

    /// Returns the next name, in turns; the subject if the prompt has no names.
    pub(crate) fn text(&mut self) -> String {
        let text = match self.names.get(self.next_name % self.names.len().max(1)) {
            Some(name) => name,
            None => &self.subject,
        };
        self.next_name += 1;
        if self.variation == 0 { text.clone() } else { format!("{text} {}", self.variation) }
    }

    /// Returns the next number of the prompt that is accepted; each is used once.
    pub(super) fn number(&mut self, accepted: impl Fn(f64) -> bool) -> Option<f64> {
        let rest = self.numbers.get(self.next_number..)?;
        let found = rest.iter().position(|number| accepted(*number))?;
        let number = rest.get(found).copied();
        self.next_number += found + 1;
        number
    }

    /// Makes further values differ from those before.
    pub(super) const fn vary(&mut self) {
        self.variation += 1;
    }
}
