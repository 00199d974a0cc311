//! Colours of words in reports.

use std::fmt;
use std::io::{self, IsTerminal};

/// Colour of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Success.
    Green,
    /// Failure.
    Red,
    /// Warning.
    Yellow,
    /// Secondary information.
    Dim,
    /// Headings.
    Bold,
}

/// Decides whether words are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    colours: bool,
}

impl Paint {
    /// Colours on a terminal, unless they are switched off.
    pub fn stdout(no_colour: bool) -> Self {
        Self { colours: !no_colour && io::stdout().is_terminal() }
    }

    /// Never colours.
    pub const fn plain() -> Self {
        Self { colours: false }
    }

    /// Returns a word in a colour.
    pub fn word<T: fmt::Display>(self, colour: Colour, word: T) -> Painted<T> {
        Painted { code: self.colours.then_some(colour.code()), word }
    }
}

impl Colour {
    const fn code(self) -> u8 {
        match self {
            Self::Green => 32,
            Self::Red => 31,
            Self::Yellow => 33,
            Self::Dim => 2,
            Self::Bold => 1,
        }
    }
}

/// A word that displays in its colour.
#[derive(Clone, Copy, Debug)]
pub struct Painted<T> {
    code: Option<u8>,
    word: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "\x1b[{code}m{}\x1b[0m", self.word),
            None => self.word.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_coloured_only_where_colours_are_on() {
        assert_eq!(Paint::plain().word(Colour::Red, "no").to_string(), "no");
        assert_eq!(Paint { colours: true }.word(Colour::Red, "no").to_string(), "\x1b[31mno\x1b[0m");
    }
}
