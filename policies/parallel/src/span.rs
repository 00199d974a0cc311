//! A stretch of the text, by its bytes.

use serde::{Deserialize, Serialize};

/// From the first byte up to the second, both between characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Span {
    pub(crate) from: usize,
    pub(crate) to: usize,
}

impl Span {
    /// A stretch of a text without the blanks around it; `None` when nothing is left.
    pub(crate) fn of(text: &str, from: usize, to: usize) -> Option<Self> {
        let within = text.get(from..to)?;
        let from = from + (within.len() - within.trim_start().len());
        let to = from + within.trim().len();
        (from < to).then_some(Self { from, to })
    }

    /// Returns the text of the span.
    pub(crate) fn text(self, text: &str) -> &str {
        text.get(self.from..self.to).unwrap_or_default()
    }

    /// From the beginning of one to the end of another.
    pub(crate) fn through(self, last: Self) -> Self {
        Self { from: self.from, to: last.to }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_left_out_and_offsets_stay_between_characters() {
        let text = "a \u{2003}\u{e4}\u{df}\u{2003} b";
        let span = Span::of(text, 1, text.len() - 1).unwrap();
        assert_eq!(span.text(text), "\u{e4}\u{df}");
        assert_eq!((Span::of(text, 1, 2), Span::of(text, 0, 99), Span::of(text, 3, 4)), (None, None, None));
    }
}
