//! Short ways to make decisions.

use std::fmt::Write;

use crate::{Decision, Target};

/// Longest reason that the contract allows, in bytes.
const MAX_REASON: usize = 512;

impl Decision {
    /// Tries candidates in this order, each with the route's own timeout. The
    /// label is 1 to 64 characters of `a-z A-Z 0-9 . _ : / -`.
    pub fn of(order: impl IntoIterator<Item = usize>, label: impl Into<String>) -> Self {
        Self {
            targets: order.into_iter().map(Target::from).collect(),
            label: label.into(),
            reason: None,
            hedge_after_ms: None,
            propensity: None,
        }
    }

    /// Says why, for a person: `decision.because(format_args!("…"))`. Control
    /// characters become spaces, and what exceeds 512 bytes is cut.
    pub fn because(mut self, reason: impl std::fmt::Display) -> Self {
        self.reason = Some(self::reason(reason));
        self
    }
}

/// A reason as the contract wants it.
pub(crate) fn reason(why: impl std::fmt::Display) -> String {
    let mut text = Bounded(String::with_capacity(128));
    // Bounded refuses what exceeds the limit, which ends the formatting early.
    let _ = write!(text, "{why}");
    text.0
}

impl From<usize> for Target {
    /// The candidate at an index, with the route's own timeout.
    fn from(candidate: usize) -> Self {
        Self { candidate: u32::try_from(candidate).unwrap_or(u32::MAX), timeout_ms: None }
    }
}

/// Text that ends at [`MAX_REASON`] bytes.
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        // Nearly all text is plain and short, and a decision waits for this.
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
