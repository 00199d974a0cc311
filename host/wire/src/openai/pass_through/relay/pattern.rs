use std::ops::Range;

use crate::json::{Span, text_at};

/// An event that was read, with gaps for its texts.
///
/// The events of a stream differ from one another in what the model wrote, and
/// in padding that some providers add, so most need no reading: one with the
/// same bytes around those texts says the same.
#[derive(Debug)]
pub(super) struct Pattern {
    /// What is around the gaps: one more than there are gaps, none at first.
    literals: [Vec<u8>; 3],
    gaps: usize,
    /// What is not passed on, and in which of the literals.
    cut: Option<(usize, Range<usize>)>,
}

/// An event that is like the pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PatternMatch {
    /// Bytes of text that the model wrote.
    pub text_bytes: usize,
    /// What is not passed on.
    pub cut: Option<Range<usize>>,
}

impl Pattern {
    /// Matches nothing.
    pub const fn new() -> Self {
        Self { literals: [const { Vec::new() }; 3], gaps: 0, cut: None }
    }

    /// Takes this event as the pattern. `text` is what the model wrote, and
    /// `padding` a text behind it that nobody reads.
    pub fn learn(&mut self, event: &[u8], text: Span, padding: Option<Span>, cut: Option<Range<usize>>) {
        let mut from = 0;
        self.gaps = 0;
        self.cut = None;
        let end = event.len()..event.len();
        for gap in [Some(text), padding, Some(end)].into_iter().flatten() {
            if let Some(cut) = cut.as_ref().filter(|cut| from <= cut.start && cut.end <= gap.start) {
                self.cut = Some((self.gaps, cut.start - from..cut.end - from));
            }
            let literal = &mut self.literals[self.gaps];
            literal.clear();
            literal.extend_from_slice(&event[from..gap.start]);
            from = gap.end;
            self.gaps += 1;
        }
        self.gaps -= 1;
    }

    /// What an event says if it is like the pattern.
    pub fn read(&self, event: &[u8]) -> Option<PatternMatch> {
        let mut like = PatternMatch { text_bytes: 0, cut: None };
        let mut at = 0;
        for (i, literal) in self.literals.iter().enumerate().take(self.gaps + 1) {
            let rest = event[at..].strip_prefix(literal.as_slice())?;
            if let Some((_, cut)) = self.cut.as_ref().filter(|(literal, _)| *literal == i) {
                like.cut = Some(at + cut.start..at + cut.end);
            }
            at += literal.len();
            if i < self.gaps {
                let (written, decoded) = text_at(rest)?;
                at += written;
                like.text_bytes += if i == 0 { decoded } else { 0 };
            }
        }
        (self.gaps > 0 && at == event.len()).then_some(like)
    }
}
