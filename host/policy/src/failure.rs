//! How a policy fails.

use pointsman_domain::decision::InvalidDecision;
use pointsman_domain::plan::InvalidPlan;

/// A call of a policy that gave no usable answer. Mostly the policy is at fault:
/// see [`is_policys_fault`](PolicyFailure::is_policys_fault).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PolicyFailure {
    /// It ended in a trap: a panic, an invalid access.
    #[error("the policy trapped: {0}")]
    Trap(String),
    /// It called itself until its stack was full.
    #[error("the policy needs more stack than there is")]
    Stack,
    /// It did not answer within its deadline, and was running for most of that time.
    #[error("the policy ran past its deadline")]
    Deadline,
    /// Its deadline passed while it waited for a processor, or for its turn among the
    /// slow calls of the policy.
    #[error("the policy's deadline passed while its call waited for the processor")]
    Starved,
    /// It wanted more memory than its limit and could not go on without.
    #[error("the policy needs more memory than its limit")]
    Memory,
    /// It called the host more often than its limit.
    #[error("the policy called the host more often than its limit")]
    HostCalls,
    /// Its answer breaks a rule of the contract.
    #[error("the policy's answer is invalid: {0}")]
    Invalid(#[from] InvalidDecision),
    /// Its plan breaks a rule of the contract.
    #[error("the policy's plan is invalid: {0}")]
    InvalidPlan(#[from] InvalidPlan),
    /// Its answer, or what it passed to the host, cannot be read as the
    /// contract's types.
    #[error("the policy's answer is unreadable: {0}")]
    Unreadable(String),
    /// Its answer, or what it passed to the host during the call, is too large
    /// to be copied.
    #[error("the policy handed the gateway more bytes than one call may")]
    TooLarge,
    /// It holds more handles of resources than its limit.
    #[error("the policy holds more handles of resources than its limit")]
    Handles,
    /// It says itself that it failed.
    #[error("the policy reports an internal error: {0}")]
    Internal(String),
    /// Too many decisions are under way in this gateway.
    #[error("too many decisions are under way")]
    Saturated,
    /// As many decisions of this policy are under way as it may have at once.
    #[error("too many decisions of this policy are under way (`limits.concurrency`)")]
    Busy,
}

impl PolicyFailure {
    /// Every [`reason`](Self::reason), in the order in which counters are kept.
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

    /// The kind of failure as one word, for counters and headers.
    pub const fn reason(&self) -> &'static str {
        Self::REASONS[self.index()]
    }

    /// Returns whether the policy itself failed. Else there was no place or no processor for
    /// the call, which is due to the load and not to the policy's code.
    pub const fn is_policys_fault(&self) -> bool {
        !matches!(self, Self::Starved | Self::Saturated | Self::Busy)
    }

    /// The place of the reason in [`Self::REASONS`].
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
