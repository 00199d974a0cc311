//! One pass over a text that gathers what the classifier looks at.

use crate::Task;
use crate::words::{self, Hash};

/// The longest word that is looked up. Longer runs of letters are ignored.
const LONGEST_WORD: usize = 24;

/// The instruction usually stands at the beginning, so words there count twice.
const BEGINNING: usize = 160;

/// The longest run of text between two backticks that is looked through, in bytes.
const LONGEST_QUOTE: usize = 80;

/// Letters of the longest acronym that counts as a name, and one more.
const LONGEST_ACRONYM: isize = 6;

/// Commands of LaTeX that format a text, whatever it is about.
const FORMATTING: [&str; 12] = [
    "boxed",
    "text",
    "textbf",
    "textit",
    "texttt",
    "emph",
    "underline",
    "item",
    "begin",
    "end",
    "quad",
    "newline",
];

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
    /// Commands of LaTeX, `$` and the like: typeset formulas.
    pub formulas: u32,
    /// Marks that programs have and prose has not.
    pub code_marks: u32,
    /// Commas, semicolons and the ends of sentences: how many parts there are.
    pub parts: u32,
    /// Question marks.
    pub questions: u32,
    /// Words with a capital letter within a sentence: names, in most languages.
    pub names: u32,
    /// Answers to choose from: `A.`, `(b)`.
    pub choices: u32,
    /// Lines that begin with a number, as those of a list do.
    pub items: u32,
    /// Underscores that stand for something to be filled in.
    pub blanks: u32,
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
    let mut reader = Reader { bytes: text.as_bytes(), ..Reader::default() };
    reader.signs.bytes = text.len();
    let mut word = Word::default();
    for (at, &byte) in text.as_bytes().iter().enumerate() {
        if byte.is_ascii_alphabetic() || byte >= 0x80 {
            reader.signs.names += u32::from(reader.begins_name(at));
            word.push(byte.to_ascii_lowercase());
            continue;
        }
        word.end(at, &mut reader.signs);
        reader.mark(at, byte);
    }
    word.end(text.len(), &mut reader.signs);
    reader.signs
}

/// State of the pass over a text.
#[derive(Default)]
struct Reader<'a> {
    bytes: &'a [u8],
    signs: Signs,
    /// End of the newest command of LaTeX, which its argument follows.
    command_end: usize,
    /// Open braces that belong to commands of LaTeX.
    latex_braces: u32,
}

impl Reader<'_> {
    /// Returns the byte at a distance before or after a place. Beyond the text there are line ends.
    fn near(&self, at: usize, distance: isize) -> u8 {
        at.checked_add_signed(distance).and_then(|at| self.bytes.get(at)).copied().unwrap_or(b'\n')
    }

    /// True for a capital letter at `at` that follows a space and a word of the same sentence. A long word in
    /// capitals is a heading or a placeholder, such as `ANSWER`.
    fn begins_name(&self, at: usize) -> bool {
        self.near(at, 0).is_ascii_uppercase()
            && !(1..LONGEST_ACRONYM).all(|distance| self.near(at, distance).is_ascii_uppercase())
            && self.near(at, -1) == b' '
            && (self.near(at, -2).is_ascii_alphanumeric() || self.near(at, -2) == b',')
    }

    /// Counts a byte that is no letter.
    fn mark(&mut self, at: usize, byte: u8) {
        let (before, after) = (self.near(at, -1), self.near(at, 1));
        match byte {
            b'0'..=b'9' if before == b'\n' && matches!(after, b'.' | b')') => self.signs.items += 1,
            b'0'..=b'9' if self.signs.choices == 0 && !(before.is_ascii_digit() || before == b'.') => {
                self.signs.numbers += 1
            }
            b'\\' if after.is_ascii_alphabetic() => self.command(at + 1),
            b'$' if self.is_formula_mark(at) => self.signs.formulas += 1,
            b'^' if !after.is_ascii_digit() => self.signs.formulas += 1,
            b'{' | b'}' => self.brace(at, byte),
            b'`' if self.is_code_quote(at) => self.signs.code_marks += 1,
            b'_' => self.underscore(at),
            b';' if after == b'\n' || after == b'\r' || after == b'}' => self.signs.code_marks += 1,
            b'(' if before.is_ascii_alphanumeric() && after != b's' => self.signs.code_marks += 1,
            // Two of them are an operator; more are a line under a heading.
            b'=' | b':' if before == byte && after != byte && self.near(at, -2) != byte => {
                self.signs.code_marks += 1
            }
            b'>' if before == byte => self.signs.code_marks += 1,
            b',' => self.signs.parts += 1,
            b'.' | b')' if self.ends_choice(at) => {}
            b'.' | b'!' if after.is_ascii_whitespace() => self.signs.parts += 1,
            b'?' => {
                self.signs.parts += 1;
                self.signs.questions += 1;
            }
            _ => {}
        }
    }

    /// Counts a command of LaTeX, whose name begins at a place, unless it only formats text, as
    /// `\boxed` in an instruction about the answer does, or is an escape such as `\n`.
    fn command(&mut self, from: usize) {
        let rest = self.bytes.get(from..).unwrap_or_default();
        let letters = rest.iter().take(LONGEST_WORD).take_while(|byte| byte.is_ascii_alphabetic()).count();
        let name = rest.get(..letters).unwrap_or_default();
        self.command_end = from + letters;
        if letters > 1 && !FORMATTING.iter().any(|format| format.as_bytes() == name) {
            self.signs.formulas += 1;
        }
    }

    /// Returns true for a dollar sign that is neither a currency nor the beginning of a placeholder, as in
    /// `ANSWER: $LETTER`.
    fn is_formula_mark(&self, at: usize) -> bool {
        let (before, after) = (self.near(at, -1), self.near(at, 1));
        let is_placeholder = after.is_ascii_uppercase() && self.near(at, 2).is_ascii_uppercase();
        let is_currency = after.is_ascii_digit() && !before.is_ascii_digit();
        let stands_alone = before.is_ascii_whitespace() && after.is_ascii_whitespace();
        !is_placeholder && !is_currency && !after.is_ascii_digit() && !stands_alone
    }

    /// Counts a brace as code, unless it belongs to a command of LaTeX or to an exponent.
    fn brace(&mut self, at: usize, byte: u8) {
        let before = self.near(at, -1);
        let opens = byte == b'{';
        let of_command = at > 0 && self.command_end == at;
        if opens && (of_command || self.latex_braces > 0 || matches!(before, b'^' | b'_' | b'}')) {
            self.latex_braces += 1;
        } else if !opens && self.latex_braces > 0 {
            self.latex_braces -= 1;
            // A second argument may follow.
            self.command_end = at + 1;
        } else {
            self.signs.code_marks += 1;
        }
    }

    /// Returns true for a backtick of a fence, or one that another one on its line closes. Two at once are
    /// a quotation mark of LaTeX.
    fn is_code_quote(&self, at: usize) -> bool {
        let run = |step: isize| (1..3).take_while(|&n| self.near(at, step * n) == b'`').count();
        match 1 + run(-1) + run(1) {
            1 => {
                let is_end = |byte: &&u8| matches!(**byte, b'`' | b'\n');
                let rest = self.bytes.get(at + 1..).unwrap_or_default();
                let closed = rest.iter().take(LONGEST_QUOTE).find(is_end) == Some(&b'`');
                let earlier = self.bytes.get(..at).unwrap_or_default();
                let opened = earlier.iter().rev().take(LONGEST_QUOTE).find(is_end) == Some(&b'`');
                closed || opened
            }
            2 => false,
            _ => true,
        }
    }

    /// Counts an underscore within a name as code, and one that stands for what is to be filled in as a
    /// blank.
    fn underscore(&mut self, at: usize) {
        let (before, after) = (self.near(at, -1), self.near(at, 1));
        let is_word = |byte: u8| byte.is_ascii_alphanumeric();
        if is_word(after)
            && (is_word(before) && is_word(self.near(at, -2)) || before == b'_' && after != b'_')
        {
            self.signs.code_marks += 1;
        } else if before != b'_' && !is_word(before) && !is_word(after) {
            self.signs.blanks += 1;
        }
    }

    /// Counts the mark after the letter of an answer to choose: `A.`, `(b)`. The letters have to follow each
    /// other, beginning with `a`, so that `the answer is (X)` does not count. Returns false for another mark.
    fn ends_choice(&mut self, at: usize) -> bool {
        let letter = self.near(at, -1).to_ascii_lowercase();
        if !letter.is_ascii_lowercase() || !matches!(self.near(at, -2), b'\n' | b'(') {
            return false;
        }
        let place = u32::from(letter - b'a');
        if place == 0 {
            (self.signs.choices, self.signs.bytes) = (1, at);
        } else if place == self.signs.choices {
            self.signs.choices += 1;
        }
        true
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
