//! One pass over a text that gathers what the classifier looks at.

use crate::Task;
use crate::words::{self, Hash};

/// The longest word that is looked up. Longer runs of letters are ignored.
const LONGEST_WORD: usize = 24;

/// The instruction usually stands at the beginning, so words there count twice.
const BEGINNING: usize = 160;

/// Words of at most this strength are hints.
const HINT: u8 = 3;

/// The upper bound of the weight of all hints together.
const MOST_HINTS: u32 = 10;

/// Features of a text.
#[derive(Clone, Debug, Default)]
pub struct Signs {
    /// The weight of strong words, by task.
    strong: [u32; Task::ALL.len()],
    /// By task, how strongly words that only hint at it speak for it.
    hinting: [u32; Task::ALL.len()],
    /// Bytes of text up to the first answer to choose from, if there are any.
    pub bytes: usize,
    /// Numbers, such as `3` or `12.5`, likewise.
    pub numbers: u32,
    /// Back-slashes before letters, `$` pairs and the like: typeset formulas.
    pub formulas: u32,
    /// Marks that programs have and prose has not.
    pub code_marks: u32,
    /// Commas, semicolons and the ends of sentences: how many parts there are.
    pub parts: u32,
    /// Question marks.
    pub questions: u32,
    /// Words with a capital letter within a sentence: names, in most languages.
    pub names: u32,
    /// Lines that begin as an answer to choose does: `A.`, `(b)`.
    pub choices: u32,
}

impl Signs {
    /// Returns the weight of the words for a task. Hints are bounded, because a long text has
    /// many for every task.
    pub fn weight(&self, task: Task) -> u32 {
        self.strong[task as usize] + self.hinting[task as usize].min(MOST_HINTS)
    }
}

/// Reads a text once.
pub fn scan(text: &str) -> Signs {
    let mut signs = Signs { bytes: text.len(), ..Signs::default() };
    let bytes = text.as_bytes();
    let mut word = Word::default();
    for (at, &byte) in bytes.iter().enumerate() {
        if byte.is_ascii_alphabetic() || byte >= 0x80 {
            signs.names += u32::from(begins_name(bytes, at));
            word.push(byte.to_ascii_lowercase());
            continue;
        }
        word.end(at, &mut signs);
        mark(bytes, at, byte, &mut signs);
    }
    word.end(bytes.len(), &mut signs);
    signs
}

/// True for a capital letter at `at` that follows a space and a word of the same sentence.
fn begins_name(bytes: &[u8], at: usize) -> bool {
    let back = |distance| at.checked_sub(distance).and_then(|at| bytes.get(at)).copied().unwrap_or(b'\n');
    bytes.get(at).is_some_and(u8::is_ascii_uppercase)
        && back(1) == b' '
        && (back(2).is_ascii_alphanumeric() || back(2) == b',')
}

/// Counts a byte that is no letter. Beyond the text there are line ends.
fn mark(bytes: &[u8], at: usize, byte: u8, signs: &mut Signs) {
    let back = |distance| at.checked_sub(distance).and_then(|at| bytes.get(at)).copied().unwrap_or(b'\n');
    let (before, after) = (back(1), bytes.get(at + 1).copied().unwrap_or(b'\n'));
    match byte {
        b'0'..=b'9' if signs.choices == 0 && !(before.is_ascii_digit() || before == b'.') => {
            signs.numbers += 1
        }
        b'\\' if after.is_ascii_alphabetic() => signs.formulas += 1,
        b'$' | b'^' if !after.is_ascii_digit() => signs.formulas += 1,
        b'`' | b'{' | b'}' | b';' | b'_' => signs.code_marks += 1,
        b'(' if before.is_ascii_alphanumeric() && after != b's' => signs.code_marks += 1,
        b'>' | b'=' | b':' if before == byte => signs.code_marks += 1,
        b',' => signs.parts += 1,
        b'.' | b')' if before.is_ascii_alphabetic() && matches!(back(2), b'\n' | b'(') => {
            if signs.choices == 0 {
                signs.bytes = at;
            }
            signs.choices += 1;
        }
        b'.' | b'!' if after.is_ascii_whitespace() => signs.parts += 1,
        b'?' => {
            signs.parts += 1;
            signs.questions += 1;
        }
        _ => {}
    }
}

/// A word as it is read.
struct Word {
    letters: [u8; LONGEST_WORD],
    /// Letters read; more than fit if the word is too long.
    length: usize,
    hash: Hash,
}

impl Default for Word {
    fn default() -> Self {
        Self { letters: [0; LONGEST_WORD], length: 0, hash: Hash::START }
    }
}

impl Word {
    fn push(&mut self, letter: u8) {
        if let Some(place) = self.letters.get_mut(self.length) {
            *place = letter;
        }
        self.length += 1;
        self.hash = self.hash.with(letter);
    }

    /// Counts the word, which ended before `at`, and begins the next.
    fn end(&mut self, at: usize, signs: &mut Signs) {
        if let Some(letters) = self.letters.get(..self.length).filter(|letters| letters.len() > 1)
            && let Some((task, strength)) = words::sign(letters, self.hash)
        {
            let factor = if at <= BEGINNING { 2 } else { 1 };
            let weights = if strength <= HINT { &mut signs.hinting } else { &mut signs.strong };
            weights[task as usize] += u32::from(strength) * factor;
        }
        self.length = 0;
        self.hash = Hash::START;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_at_the_beginning_count_twice_in_any_case() {
        let far = format!("{} poem", "x ".repeat(100));
        assert_eq!(scan("A POEM, please").weight(Task::Creative), 12);
        assert_eq!(scan(&far).weight(Task::Creative), 6);
    }

    #[test]
    fn numbers_formulas_and_choices_are_counted() {
        let signs = scan("Let $x$ be 3.25 or 17.\n\\frac{1}{2}\nA. 5\nB. 7\n(c) none?");
        assert_eq!((signs.numbers, signs.choices, signs.questions, signs.bytes), (4, 3, 1, 36));
        assert!(signs.formulas >= 2);
    }

    #[test]
    fn any_text_is_read_to_its_end() {
        for text in ["", "ä", "\u{1F642}?", &"long".repeat(100), "a.b", ".", "((("] {
            let signs = scan(text);
            assert!(signs.bytes <= text.len(), "{text}");
        }
    }
}
