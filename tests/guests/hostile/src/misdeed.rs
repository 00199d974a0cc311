//! The misdeeds, for the guest and for tests that match all of them.

use serde::Deserialize;

macro_rules! misdeeds {
    ($($(#[$doc:meta])* $misdeed:ident = $name:literal,)*) => {
        /// Something that a policy should not do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        pub enum Misdeed {
            $($(#[$doc])* #[serde(rename = $name)] $misdeed,)*
        }

        impl Misdeed {
            /// All values.
            pub const ALL: &[Self] = &[$(Self::$misdeed),*];

            /// Returns the name in the settings.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$misdeed => $name,)*
                }
            }
        }
    };
}

/// Characters that reverse, hide or break the text around them.
pub const TURNED: &str = "ok \u{202e}gnol\u{2066} \u{2028}fake line\u{200b}\u{feff}\u{e0041}";

misdeeds! {
    /// Loops forever when it is instantiated.
    LoopAtStart = "loop-at-start",
    /// Loops forever in `validate`.
    LoopInValidate = "loop-in-validate",
    /// Loops forever in `route`.
    LoopInRoute = "loop-in-route",
    /// Rejects its settings, with control characters in the message.
    RefuseSettings = "refuse-settings",
    /// Overflows the stack.
    Recurse = "recurse",
    /// Allocates memory until there is none left.
    GrowMemory = "grow-memory",
    /// Requests too much memory once, and continues without it. This is allowed.
    GrowMemoryGracefully = "grow-memory-gracefully",
    /// Executes `unreachable`.
    Trap = "trap",
    /// Panics.
    Panic = "panic",
    /// Returns a label of 8 MB.
    HugeLabel = "huge-label",
    /// Returns a reason of 8 MB.
    HugeReason = "huge-reason",
    /// Returns a reason one byte too long.
    LongReason = "long-reason",
    /// Returns 200,000 targets.
    ManyTargets = "many-targets",
    /// Returns 10,000 targets.
    MoreTargetsThanCandidates = "more-targets-than-candidates",
    /// Returns no targets.
    NoTarget = "no-target",
    /// Selects a candidate that does not exist.
    OutOfRange = "out-of-range",
    /// Selects a candidate twice.
    Repeat = "repeat",
    /// Returns a target with a timeout of 0.
    ZeroTimeout = "zero-timeout",
    /// Returns a propensity of NaN.
    NanPropensity = "nan-propensity",
    /// Returns a propensity of infinity.
    InfinitePropensity = "infinite-propensity",
    /// Returns a propensity of minus infinity.
    MinusInfinitePropensity = "minus-infinite-propensity",
    /// Returns the largest number for every time. This is allowed.
    LongestTimes = "longest-times",
    /// Returns an empty label.
    EmptyLabel = "empty-label",
    /// Tries to inject a header into the response.
    HeaderInLabel = "header-in-label",
    /// Returns a reason with terminal control sequences.
    AnsiInReason = "ansi-in-reason",
    /// The same with the one-byte form of an escape sequence.
    C1InReason = "c1-in-reason",
    /// The same in a refusal.
    AnsiInRefusal = "ansi-in-refusal",
    /// The same in the log, with a forged line.
    AnsiInLog = "ansi-in-log",
    /// Returns a reason with [`TURNED`].
    TurnedReason = "turned-reason",
    /// The same in a refusal.
    TurnedRefusal = "turned-refusal",
    /// The same in the message of an error.
    TurnedInternal = "turned-internal",
    /// Logs characters that reverse or end the line in some terminals.
    TurnedLog = "turned-log",
    /// Logs a line of 100 KB.
    LongLog = "long-log",
    /// Logs a line of 8 MB.
    HugeLog = "huge-log",
    /// Logs 500 lines.
    FloodLog = "flood-log",
    /// Calls the host 10,000 times.
    FloodHost = "flood-host",
    /// Reports a failure, with control characters in the message.
    Internal = "internal",
    /// Denies every request. This is allowed.
    Deny = "deny",
    /// Accepts no candidate. This is allowed.
    RefuseAll = "refuse-all",
}
