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

/// Kind of a [`PolicyFailure`], for counters and headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the kind of the failures of the same name")]
pub enum FailureReason {
    Trap,
    Stack,
    Deadline,
    Memory,
    HostCalls,
    Invalid,
    Unreadable,
    TooLarge,
    Handles,
    Internal,
    Saturated,
    Busy,
}

impl FailureReason {
    /// Every reason, in the order of the declaration.
    pub const ALL: [Self; 12] = [
        Self::Trap,
        Self::Stack,
        Self::Deadline,
        Self::Memory,
        Self::HostCalls,
        Self::Invalid,
        Self::Unreadable,
        Self::TooLarge,
        Self::Handles,
        Self::Internal,
        Self::Saturated,
        Self::Busy,
    ];

    /// Returns the name in counters and headers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::Stack => "stack",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::HostCalls => "host_calls",
            Self::Invalid => "invalid",
            Self::Unreadable => "unreadable",
            Self::TooLarge => "too_large",
            Self::Handles => "handles",
            Self::Internal => "internal",
            Self::Saturated => "saturated",
            Self::Busy => "busy",
        }
    }
}

impl PolicyFailure {
    /// Returns the name of the failure's kind.
    pub const fn reason(&self) -> &'static str {
        self.kind().as_str()
    }

    /// Returns whether the policy itself failed. Otherwise there was no capacity for the call, which
    /// is due to load and not to the policy's code.
    pub const fn is_policys_fault(&self) -> bool {
        !matches!(self, Self::Starved | Self::Saturated | Self::Busy)
    }

    /// Returns the kind of the failure. A starved call counts as one that missed its deadline.
    pub const fn kind(&self) -> FailureReason {
        match self {
            Self::Trap(_) => FailureReason::Trap,
            Self::Stack => FailureReason::Stack,
            Self::Deadline | Self::Starved => FailureReason::Deadline,
            Self::Memory => FailureReason::Memory,
            Self::HostCalls => FailureReason::HostCalls,
            Self::Invalid(_) | Self::InvalidPlan(_) => FailureReason::Invalid,
            Self::Unreadable(_) => FailureReason::Unreadable,
            Self::TooLarge => FailureReason::TooLarge,
            Self::Handles => FailureReason::Handles,
            Self::Internal(_) => FailureReason::Internal,
            Self::Saturated => FailureReason::Saturated,
            Self::Busy => FailureReason::Busy,
        }
    }
}
