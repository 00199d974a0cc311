//! Failures of requests.

use pointsman_domain::outcome;

/// Reason for which a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    NoAnswer,
    Deadline,
    Refused,
    NoCandidate,
    Rejected,
    Task,
}

impl Fault {
    /// Returns the party at fault.
    pub(super) const fn party(self) -> outcome::Fault {
        match self {
            Self::NoAnswer | Self::Task => outcome::Fault::Backend,
            Self::Deadline => outcome::Fault::Deadline,
            Self::Refused | Self::Rejected => outcome::Fault::Policy,
            Self::NoCandidate => outcome::Fault::Client,
        }
    }
}
