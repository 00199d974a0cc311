//! Failures of a policy.

use pointsman_domain::decision::InvalidDecision;
use pointsman_domain::plan::InvalidPlan;

/// A call of a policy gave no usable answer. Usually the policy is at fault; see
/// [`is_policys_fault`](PolicyFailure::is_policys_fault).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PolicyFailure {
    /// It ended in a trap: a panic, an invalid access.
    #[error("the policy trapped: {0}")]
    Trap(String),
    /// It exhausted its stack.
    #[error("the policy needs more stack than there is")]
    Stack,
    /// It did not answer within its deadline, although it was running for most of that time.
    #[error("the policy ran past its deadline")]
    Deadline,
    /// Its deadline passed while it waited for a processor, or for other slow calls of the policy.
    #[error("the policy's deadline passed while its call waited for the processor")]
    Starved,
    /// It needed more memory than its limit.
    #[error("the policy needs more memory than its limit")]
    Memory,
    /// It called the host more often than its limit.
    #[error("the policy called the host more often than its limit")]
    HostCalls,
    /// Its answer violates a rule of the contract.
    #[error("the policy's answer is invalid: {0}")]
    Invalid(#[from] InvalidDecision),
    /// Its plan violates a rule of the contract.
    #[error("the policy's plan is invalid: {0}")]
    InvalidPlan(#[from] InvalidPlan),
    /// Its answer, or an argument of an imported function, is not a value of the contract's types.
    #[error("the policy's answer is unreadable: {0}")]
    Unreadable(String),
    /// Its answer, with the arguments of imported functions, is too large to be copied.
    #[error("the policy handed the gateway more bytes than one call may")]
    TooLarge,
    /// It holds more resource handles than its limit.
    #[error("the policy holds more handles of resources than its limit")]
    Handles,
    /// It reported an internal error.
    #[error("the policy reports an internal error: {0}")]
    Internal(String),
    /// The pool's limit on concurrent decisions is reached.
    #[error("too many decisions are under way")]
    Saturated,
    /// The policy's own limit on concurrent decisions is reached.
    #[error("too many decisions of this policy are under way (`limits.concurrency`)")]
    Busy,
}

impl PolicyFailure {
    /// Every [`reason`](Self::reason), in the order of [`index`](Self::index).
    pub const REASONS: [&'static str; 12] = [
        "trap",
        "stack",
        "deadline",
        "memory",
        "host_calls",
        "invalid",
        "unreadable",
        "too_large",
        "handles",
        "internal",
        "saturated",
        "busy",
    ];

    /// Returns the kind of failure as one word, for counters and headers.
    pub const fn reason(&self) -> &'static str {
        Self::REASONS[self.index()]
    }

    /// Returns whether the policy itself failed. Otherwise there was no capacity for the call, which
    /// is due to load and not to the policy's code.
    pub const fn is_policys_fault(&self) -> bool {
        !matches!(self, Self::Starved | Self::Saturated | Self::Busy)
    }

    /// Returns the position of the reason in [`REASONS`](Self::REASONS).
    pub(crate) const fn index(&self) -> usize {
        match self {
            Self::Trap(_) => 0,
            Self::Stack => 1,
            Self::Deadline | Self::Starved => 2,
            Self::Memory => 3,
            Self::HostCalls => 4,
            Self::Invalid(_) | Self::InvalidPlan(_) => 5,
            Self::Unreadable(_) => 6,
            Self::TooLarge => 7,
            Self::Handles => 8,
            Self::Internal(_) => 9,
            Self::Saturated => 10,
            Self::Busy => 11,
        }
    }
}
