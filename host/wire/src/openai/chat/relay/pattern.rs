use std::ops::Range;

use crate::json::text_len;

/// An event that was read, with a gap for the one text in it.
///
/// The events of a stream differ from one another in their text alone, so most
/// need no reading: one that has the same bytes before and after its text says
/// the same.
#[derive(Debug)]
pub(super) struct Pattern {
    before: Vec<u8>,
    after: Vec<u8>,
    /// What is not passed on, in `before`.
    cut_before: Option<Range<usize>>,
    /// What is not passed on, in `after`.
    cut_after: Option<Range<usize>>,
}

impl Pattern {
    /// Matches nothing.
    pub const fn new() -> Self {
        Self { before: Vec::new(), after: Vec::new(), cut_before: None, cut_after: None }
    }

    /// Takes this event as the pattern, with its text here.
    pub fn learn(&mut self, event: &[u8], text: Range<usize>, cut: Option<Range<usize>>) {
        self.before.clear();
        self.before.extend_from_slice(&event[..text.start]);
        self.after.clear();
        self.after.extend_from_slice(&event[text.end..]);
        (self.cut_before, self.cut_after) = match cut {
            Some(cut) if cut.start >= text.end => (None, Some(cut.start - text.end..cut.end - text.end)),
            cut => (cut, None),
        };
    }

    /// Bytes of the event's text, unescaped; `None` if it is not like the pattern.
    pub fn text_bytes(&self, event: &[u8]) -> Option<usize> {
        if self.before.is_empty() {
            return None;
        }
        let text = event.strip_prefix(&*self.before)?.strip_suffix(&*self.after)?;
        text_len(text)
    }

    /// What is not passed on of an event like the pattern.
    pub fn cut(&self, event: &[u8]) -> Option<Range<usize>> {
        let after = event.len() - self.after.len();
        let in_after = self.cut_after.clone().map(|cut| after + cut.start..after + cut.end);
        in_after.or_else(|| self.cut_before.clone())
    }
}
