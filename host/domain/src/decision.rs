//! Decisions of policies, and their validation.
//!
//! A proposal comes out of a sandbox whose code is not trusted. Only a [`Decision`] is acted on,
//! and [`Proposal::validate`] and [`Decision::in_order`] are the only ways to make one.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::text::{is_printable, printable};

/// Longest label, in bytes.
pub const MAX_LABEL: usize = 64;
/// Longest reason or refusal text, in bytes. Escapes make it up to three times as long.
pub const MAX_REASON: usize = 512;

/// Candidate to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Index into the candidates of the policy's input.
    pub candidate: usize,
    /// Longest wait for its first byte, if the policy set one.
    pub timeout: Option<Duration>,
}

/// Decision of a policy before validation.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Candidates to call, in order.
    pub targets: Vec<Target>,
    /// Label of the kind of choice.
    pub label: String,
    /// Reason for the choice.
    pub reason: Option<String>,
    /// Time without a response after which the next target is called as well.
    pub hedge_after: Option<Duration>,
    /// Probability with which the first target was chosen.
    pub propensity: Option<f64>,
}

/// Models to call, in order. Validated: at least one target, each candidate once and in range,
/// texts bounded and printable.
///
/// A clone shares the targets and texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    proposal: Arc<Proposal>,
}

/// Refusal of a policy to decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No candidate is suitable.
    NoCandidate(String),
    /// The request is not permitted.
    Denied(String),
}

/// Rule of the contract that a proposal breaks.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvalidDecision {
    /// It has no targets.
    #[error("the decision has no target")]
    NoTarget,
    /// It has more targets than there are candidates.
    #[error("the decision has {targets} targets for {candidates} candidates")]
    TooManyTargets {
        /// Number of targets.
        targets: usize,
        /// Number of candidates.
        candidates: usize,
    },
    /// A target has an index beyond the candidates.
    #[error("target {position} names candidate {candidate}, but there are {candidates}")]
    UnknownCandidate {
        /// Position of the target.
        position: usize,
        /// Index of the candidate.
        candidate: usize,
        /// Number of candidates.
        candidates: usize,
    },
    /// Two targets name the same candidate.
    #[error("target {position} names candidate {candidate} a second time")]
    RepeatedCandidate {
        /// Position of the target.
        position: usize,
        /// Index of the candidate.
        candidate: usize,
    },
    /// The label is empty, too long or has other characters.
    #[error("the label \"{0}\" is not 1 to 64 characters of a-z A-Z 0-9 . _ : / -")]
    Label(String),
    /// A text is too long or has control characters.
    #[error("the {0} is longer than 512 bytes or has control characters")]
    Text(&'static str),
    /// The probability is not in (0, 1].
    #[error("the propensity {0} is not in (0, 1]")]
    Propensity(f64),
    /// A target has a timeout of zero.
    #[error("target {position} has a timeout of zero")]
    ZeroTimeout {
        /// Position of the target.
        position: usize,
    },
}

impl Proposal {
    /// Validates the proposal against the contract and the number of candidates of the policy's
    /// input. Characters of the reason that are not printable are escaped.
    pub fn validate(mut self, candidates: usize) -> Result<Decision, InvalidDecision> {
        check_targets(&self.targets, candidates)?;
        self.reason = check_texts(&self.label, self.reason)?;
        if let Some(propensity) = self.propensity
            && !(propensity > 0.0 && propensity <= 1.0)
        {
            return Err(InvalidDecision::Propensity(propensity));
        }
        Ok(Decision { proposal: Arc::new(self) })
    }
}

impl Refusal {
    /// Returns the code in records and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoCandidate(_) => "no_candidate",
            Self::Denied(_) => "denied",
        }
    }

    /// Returns the policy's message.
    pub fn message(&self) -> &str {
        match self {
            Self::NoCandidate(message) | Self::Denied(message) => message,
        }
    }

    /// Validates the text, which is sent to the client, and escapes characters that are not
    /// printable.
    pub fn validate(self) -> Result<Self, InvalidDecision> {
        let check = |text| check_text("refusal", text);
        Ok(match self {
            Self::NoCandidate(text) => Self::NoCandidate(check(text)?),
            Self::Denied(text) => Self::Denied(check(text)?),
        })
    }
}

impl Decision {
    /// Returns all candidates in the given order: the gateway's decision without a policy.
    pub fn in_order(candidates: usize, label: &'static str) -> Self {
        let targets = (0..candidates).map(|candidate| Target { candidate, timeout: None }).collect();
        let proposal =
            Proposal { targets, label: label.to_owned(), reason: None, hedge_after: None, propensity: None };
        Self { proposal: Arc::new(proposal) }
    }

    /// Returns the decision with further candidates after its own.
    #[must_use]
    pub fn followed_by(&self, candidates: Range<usize>) -> Self {
        let mut proposal = Proposal::clone(&self.proposal);
        proposal.targets.extend(candidates.map(|candidate| Target { candidate, timeout: None }));
        Self { proposal: Arc::new(proposal) }
    }

    /// Returns the candidates to call, in order. Never empty.
    pub fn targets(&self) -> &[Target] {
        &self.proposal.targets
    }

    /// Returns the label of the kind of choice.
    pub fn label(&self) -> &str {
        &self.proposal.label
    }

    /// Returns the policy's reason.
    pub fn reason(&self) -> Option<&str> {
        self.proposal.reason.as_deref()
    }

    /// Returns the time without a response after which the next target is called as well.
    pub fn hedge_after(&self) -> Option<Duration> {
        self.proposal.hedge_after
    }

    /// Returns the probability of the first target, if the policy explores.
    pub fn propensity(&self) -> Option<f64> {
        self.proposal.propensity
    }
}

fn check_targets(targets: &[Target], candidates: usize) -> Result<(), InvalidDecision> {
    if targets.is_empty() {
        return Err(InvalidDecision::NoTarget);
    }
    if targets.len() > candidates {
        return Err(InvalidDecision::TooManyTargets { targets: targets.len(), candidates });
    }
    let mut seen = vec![false; candidates];
    for (position, target) in targets.iter().enumerate() {
        let candidate = target.candidate;
        match seen.get_mut(candidate) {
            None => return Err(InvalidDecision::UnknownCandidate { position, candidate, candidates }),
            Some(true) => return Err(InvalidDecision::RepeatedCandidate { position, candidate }),
            Some(first) => *first = true,
        }
        if target.timeout == Some(Duration::ZERO) {
            return Err(InvalidDecision::ZeroTimeout { position });
        }
    }
    Ok(())
}

/// Validates a label and its reason, and returns the reason in printable form.
pub(crate) fn check_texts(label: &str, reason: Option<String>) -> Result<Option<String>, InvalidDecision> {
    if !is_label(label) {
        return Err(InvalidDecision::Label(printable(label, MAX_LABEL)));
    }
    reason.map(|reason| check_text("reason", reason)).transpose()
}

/// Returns whether a text is 1 to 64 characters of `a-z A-Z 0-9 . _ : / -`.
pub fn is_label(label: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
    (1..=MAX_LABEL).contains(&label.len()) && label.bytes().all(allowed)
}

/// Validates a text against the contract, which forbids long texts and control characters. Other
/// characters that are not printable are permitted, and escaped.
fn check_text(what: &'static str, text: String) -> Result<String, InvalidDecision> {
    if text.len() > MAX_REASON || text.chars().any(char::is_control) {
        return Err(InvalidDecision::Text(what));
    }
    Ok(if text.chars().all(is_printable) { text } else { printable(&text, MAX_REASON) })
}

#[cfg(test)]
mod tests;
