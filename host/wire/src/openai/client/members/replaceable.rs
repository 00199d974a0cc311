//! Members that a call may replace.

use super::place::Key;
use crate::json::Span;

/// Members at the top level whose values a task may replace.
const REPLACEABLE: [Key; 8] = [
    Key::Messages,
    Key::MaxTokens,
    Key::MaxCompletionTokens,
    Key::Temperature,
    Key::TopP,
    Key::Seed,
    Key::ReasoningEffort,
    Key::ResponseFormat,
];

/// Spans of the values of those members.
#[derive(Clone, Debug, Default)]
pub(in crate::openai) struct ReplaceableMembers {
    /// Empty if the client set none.
    spans: [Span; REPLACEABLE.len()],
}

impl ReplaceableMembers {
    pub(super) fn record(&mut self, key: Key, span: Span) {
        let place = REPLACEABLE.iter().position(|known| *known == key);
        if let Some(known) = place.and_then(|place| self.spans.get_mut(place)) {
            *known = span;
        }
    }

    /// Returns the span of a member's value; `None` if the client set none.
    pub fn value(&self, name: &str) -> Option<Span> {
        let place = REPLACEABLE.iter().position(|known| known.name() == name)?;
        self.spans.get(place).filter(|span| !span.is_empty()).cloned()
    }
}
