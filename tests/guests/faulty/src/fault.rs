//! The faults, for the guest and for tests that find all of them.

use serde::Deserialize;

macro_rules! faults {
    ($($(#[$doc:meta])* $fault:ident = $name:literal,)*) => {
        /// A fault that some requests show.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        pub enum Fault {
            $($(#[$doc])* #[serde(rename = $name)] $fault,)*
        }

        impl Fault {
            /// All values.
            pub const ALL: &[Self] = &[$(Self::$fault),*];

            /// Returns the name in the settings.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$fault => $name,)*
                }
            }
        }
    };
}

faults! {
    /// Panics if the newest text is empty.
    EmptyPrompt = "empty-prompt",
    /// Indexes out of bounds if there is one candidate.
    OneCandidate = "one-candidate",
    /// Divides by a price that is zero.
    FreeModel = "free-model",
    /// Cuts a text within a character.
    CharBoundary = "char-boundary",
    /// Loops forever if there are seven messages.
    SevenMessages = "seven-messages",
    /// Compares each byte of the text with each other one.
    QuadraticText = "quadratic-text",
    /// Compares each candidate with each other one.
    QuadraticCandidates = "quadratic-candidates",
    /// Selects a candidate twice if all are unhealthy.
    AllUnhealthy = "all-unhealthy",
    /// Needs too much memory for a long attribute `note`.
    LongAttribute = "long-attribute",
    /// Decides by the number of earlier decisions of the instance.
    Counter = "counter",
    /// Panics at an answer whose first token has no time.
    Outcome = "outcome",
    /// Divides by a score that is zero.
    Rating = "rating",
}
