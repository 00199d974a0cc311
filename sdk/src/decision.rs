//! Constructors of decisions.

use std::fmt::Write;

use crate::{Decision, Target};

/// The longest reason that the contract allows, in bytes.
const MAX_REASON: usize = 512;

impl Decision {
    /// Creates a decision that tries candidates in this order, each with the route's own
    /// timeout. The label has 1 to 64 characters of `a-z A-Z 0-9 . _ : / -`.
    pub fn of(order: impl IntoIterator<Item = usize>, label: impl Into<String>) -> Self {
        Self {
            targets: order.into_iter().map(Target::from).collect(),
            label: label.into(),
            reason: None,
            hedge_after_ms: None,
            propensity: None,
        }
    }

    /// Adds a reason for people to read: `decision.because(format_args!("…"))`. Control
    /// characters become spaces, and the text is cut at 512 bytes.
    pub fn because(mut self, reason: impl std::fmt::Display) -> Self {
        self.reason = Some(format_reason(reason));
        self
    }
}

/// Formats a reason within the limits of the contract.
pub(crate) fn format_reason(reason: impl std::fmt::Display) -> String {
    let mut text = Bounded(String::with_capacity(128));
    // `Bounded` returns an error at the limit, which ends the formatting early.
    let _ = write!(text, "{reason}");
    text.0
}

impl From<usize> for Target {
    /// Converts the index of a candidate, with the route's own timeout.
    fn from(candidate: usize) -> Self {
        Self { candidate: u32::try_from(candidate).unwrap_or(u32::MAX), timeout_ms: None }
    }
}

/// A text of at most [`MAX_REASON`] bytes.
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        // Fast path: nearly all text is printable ASCII and short, and this is part of a decision's time.
        let is_plain = text.bytes().all(|byte| (b' '..0x7f).contains(&byte));
        if is_plain && self.0.len() + text.len() <= MAX_REASON {
            self.0.push_str(text);
            return Ok(());
        }
        for character in text.chars() {
            let character = if character.is_control() { ' ' } else { character };
            if self.0.len() + character.len_utf8() > MAX_REASON {
                return Err(std::fmt::Error);
            }
            self.0.push(character);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
