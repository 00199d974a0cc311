//! The misdeeds, for the guest and for the tests that match on all of them.

use serde::Deserialize;

macro_rules! misdeeds {
    ($($(#[$doc:meta])* $misdeed:ident = $name:literal,)*) => {
        /// Something that a policy should not do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        pub enum Misdeed {
            $($(#[$doc])* #[serde(rename = $name)] $misdeed,)*
        }

        impl Misdeed {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$misdeed),*];

            /// Its name in the settings.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$misdeed => $name,)*
                }
            }
        }
    };
}

/// Characters that turn, hide or break the text around them.
pub const TURNED: &str = "ok \u{202e}gnol\u{2066} \u{2028}fake line\u{200b}\u{feff}\u{e0041}";

misdeeds! {
    /// Never ends when it is instantiated.
    LoopAtStart = "loop-at-start",
    /// Never ends when it is asked about its settings.
    LoopInValidate = "loop-in-validate",
    /// Never ends when it is asked for a decision.
    LoopInRoute = "loop-in-route",
    /// Does not accept its settings, with control characters in the message.
    RefuseSettings = "refuse-settings",
    /// Overflows the stack.
    Recurse = "recurse",
    /// Takes memory until there is none left.
    GrowMemory = "grow-memory",
    /// Asks for too much memory once, and goes on without. Not bad at all.
    GrowMemoryGracefully = "grow-memory-gracefully",
    /// Executes `unreachable`.
    Trap = "trap",
    /// Panics.
    Panic = "panic",
    /// Answers with a label of 8 MB.
    HugeLabel = "huge-label",
    /// Answers with a reason of 8 MB.
    HugeReason = "huge-reason",
    /// Answers with a reason one byte too long.
    LongReason = "long-reason",
    /// Answers with 200,000 targets.
    ManyTargets = "many-targets",
    /// Answers with 10,000 targets.
    MoreTargetsThanCandidates = "more-targets-than-candidates",
    /// Answers without targets.
    NoTarget = "no-target",
    /// Names a candidate that is not there.
    OutOfRange = "out-of-range",
    /// Names a candidate twice.
    Repeat = "repeat",
    /// Gives a target no time.
    ZeroTimeout = "zero-timeout",
    /// Gives a probability that is no number.
    NanPropensity = "nan-propensity",
    /// Gives an infinite probability.
    InfinitePropensity = "infinite-propensity",
    /// Gives a probability of minus infinity.
    MinusInfinitePropensity = "minus-infinite-propensity",
    /// Gives every time the largest number there is. Its right.
    LongestTimes = "longest-times",
    /// Answers with an empty label.
    EmptyLabel = "empty-label",
    /// Tries to slip a header into the answer.
    HeaderInLabel = "header-in-label",
    /// Tries to write to the terminal of whoever reads the reason.
    AnsiInReason = "ansi-in-reason",
    /// The same with the one-byte form of an escape sequence.
    C1InReason = "c1-in-reason",
    /// The same in a refusal.
    AnsiInRefusal = "ansi-in-refusal",
    /// The same in the log, with a forged line.
    AnsiInLog = "ansi-in-log",
    /// Turns, hides and breaks text in the reason.
    TurnedReason = "turned-reason",
    /// The same in a refusal.
    TurnedRefusal = "turned-refusal",
    /// The same in the message of an error.
    TurnedInternal = "turned-internal",
    /// Logs what turns the line around, and what ends it, in some terminals.
    TurnedLog = "turned-log",
    /// Logs a line of 100 KB.
    LongLog = "long-log",
    /// Logs a line of 8 MB.
    HugeLog = "huge-log",
    /// Logs 500 lines.
    FloodLog = "flood-log",
    /// Calls the host 10,000 times.
    FloodHost = "flood-host",
    /// Says that it failed, with control characters in the message.
    Internal = "internal",
    /// Denies every request. Its right.
    Deny = "deny",
    /// Finds no candidate good enough. Its right.
    RefuseAll = "refuse-all",
}
