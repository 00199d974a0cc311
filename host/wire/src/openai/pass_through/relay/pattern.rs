//! Fast path for events that differ from an earlier one only in their texts.

use std::ops::Range;

use crate::json::{Span, text_at};

/// Event that was parsed, with gaps in place of its texts.
///
/// The events of a stream differ in the text that the model wrote, and in padding that some
/// providers add, so most need no parsing: an event with the same bytes around those texts has
/// the same meaning.
#[derive(Debug)]
pub(super) struct Pattern {
    /// Bytes around the gaps: one literal more than there are gaps; empty at first.
    literals: [Vec<u8>; 3],
    gaps: usize,
    /// Index of a literal, and the range in it that is not forwarded.
    cut: Option<(usize, Range<usize>)>,
}

/// Match of an event with the pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PatternMatch {
    /// Bytes of text that the model wrote.
    pub text_bytes: usize,
    /// Range that is not forwarded.
    pub cut: Option<Range<usize>>,
}

impl Pattern {
    /// Returns a pattern that matches nothing.
    pub const fn new() -> Self {
        Self { literals: [const { Vec::new() }; 3], gaps: 0, cut: None }
    }

    /// Replaces the pattern by an event. `text` is the text that the model wrote, and `padding` a
    /// later text that nobody reads.
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

    /// Matches an event.
    pub fn matches(&self, event: &[u8]) -> Option<PatternMatch> {
        let mut found = PatternMatch { text_bytes: 0, cut: None };
        let mut at = 0;
        for (i, literal) in self.literals.iter().enumerate().take(self.gaps + 1) {
            let rest = event[at..].strip_prefix(literal.as_slice())?;
            if let Some((_, cut)) = self.cut.as_ref().filter(|(literal, _)| *literal == i) {
                found.cut = Some(at + cut.start..at + cut.end);
            }
            at += literal.len();
            if i < self.gaps {
                let (written, decoded) = text_at(rest)?;
                at += written;
                found.text_bytes += if i == 0 { decoded } else { 0 };
            }
        }
        (self.gaps > 0 && at == event.len()).then_some(found)
    }
}
