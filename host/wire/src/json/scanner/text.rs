//! Scan of a single string, for events that match a known pattern.

use super::{ScanState, Scanner};
use crate::json::plain::plain_len;
use crate::json::{Container, JsonText, Scalar, Span, Visitor};

/// Returns the written and the unescaped length of the text that these bytes begin with, as the
/// rest of a string whose opening quote was read. `None` if it does not end here.
pub(crate) fn text_at(bytes: &[u8]) -> Option<(usize, usize)> {
    let plain = plain_len(bytes);
    if bytes.get(plain) == Some(&b'"') {
        return Some((plain, plain));
    }
    let mut scanner = Scanner { state: ScanState::String, offset: 1, start: 1, ..Scanner::default() };
    let mut at = 0;
    while at < bytes.len() && scanner.state != ScanState::Next {
        at = match scanner.state {
            ScanState::Escape => scanner.escape(bytes, at),
            ScanState::Hex(left, value) => scanner.hex_digit(bytes, at, left, value),
            _ => scanner.string(bytes, at, &mut Ignore),
        }
        .ok()?;
    }
    let written = at.checked_sub(1)?;
    (scanner.state == ScanState::Next).then(|| (written, written - scanner.escape_excess))
}

struct Ignore;

impl Visitor for Ignore {
    fn begin(&mut self, _: Container, _: usize) {}
    fn key(&mut self, _: &JsonText<'_>) {}
    fn scalar(&mut self, _: &Scalar<'_>, _: Span) {}
    fn end(&mut self, _: usize) {}
}
