//! What a policy proposes, and what is left of it after validation.
//!
//! A proposal comes out of a sandbox that a stranger may have written. Only a
//! [`Decision`] is acted on, and the only ways to one are [`Proposal::validate`]
//! and [`Decision::in_order`].

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::text::{is_printable, printable};

/// Longest label, in bytes.
pub const MAX_LABEL: usize = 64;
/// Longest reason or refusal text, in bytes; what is escaped in it makes it up to
/// three times as long.
pub const MAX_REASON: usize = 512;

/// A candidate to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Index into the candidates that the policy was given.
    pub candidate: usize,
    /// How long to wait for its first byte, if the policy set a limit.
    pub timeout: Option<Duration>,
}

/// What a policy answered, unchecked.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Candidates in order.
    pub targets: Vec<Target>,
    /// What kind of choice it was.
    pub label: String,
    /// Why.
    pub reason: Option<String>,
    /// When to start the next target beside a silent one.
    pub hedge_after: Option<Duration>,
    /// Probability of the first target.
    pub propensity: Option<f64>,
}

/// Which models to try, in order. Checked: at least one target, each candidate
/// once and in range, texts bounded and printable.
///
/// A copy is one more reference: who carries it out and who tells of it share it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    proposal: Arc<Proposal>,
}

/// A policy's answer that it will not decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// None of the candidates will do.
    NoCandidate(String),
    /// The request must not be served.
    Denied(String),
}

/// Which rule of the contract a proposal broke.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvalidDecision {
    /// Nothing to try.
    #[error("the decision has no target")]
    NoTarget,
    /// More targets than candidates.
    #[error("the decision has {targets} targets for {candidates} candidates")]
    TooManyTargets {
        /// How many came.
        targets: usize,
        /// How many could.
        candidates: usize,
    },
    /// An index past the end.
    #[error("target {position} names candidate {candidate}, but there are {candidates}")]
    UnknownCandidate {
        /// Place in the list of targets.
        position: usize,
        /// The index it gave.
        candidate: usize,
        /// How many candidates there are.
        candidates: usize,
    },
    /// The same candidate twice.
    #[error("target {position} names candidate {candidate} a second time")]
    RepeatedCandidate {
        /// Place in the list of targets.
        position: usize,
        /// The index it gave.
        candidate: usize,
    },
    /// A label that is empty, too long or has other characters.
    #[error("the label \"{0}\" is not 1 to 64 characters of a-z A-Z 0-9 . _ : / -")]
    Label(String),
    /// A reason that is too long or has control characters.
    #[error("the {0} is longer than 512 bytes or has control characters")]
    Text(&'static str),
    /// A probability outside (0, 1].
    #[error("the propensity {0} is not in (0, 1]")]
    Propensity(f64),
    /// A timeout of zero.
    #[error("target {position} has a timeout of zero")]
    ZeroTimeout {
        /// Place in the list of targets.
        position: usize,
    },
}

impl Proposal {
    /// Checks every rule of the contract against the number of candidates the
    /// policy was given. What is not printable in the reason is escaped.
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
    /// The word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoCandidate(_) => "no_candidate",
            Self::Denied(_) => "denied",
        }
    }

    /// What is said about it.
    pub fn message(&self) -> &str {
        match self {
            Self::NoCandidate(message) | Self::Denied(message) => message,
        }
    }

    /// Checks the text, which is shown to the client, and escapes what is not
    /// printable in it.
    pub fn validate(self) -> Result<Self, InvalidDecision> {
        let check = |text| check_text("refusal", text);
        Ok(match self {
            Self::NoCandidate(text) => Self::NoCandidate(check(text)?),
            Self::Denied(text) => Self::Denied(check(text)?),
        })
    }
}

impl Decision {
    /// All candidates in their given order: what the host does without a policy.
    pub fn in_order(candidates: usize, label: &'static str) -> Self {
        let targets = (0..candidates).map(|candidate| Target { candidate, timeout: None }).collect();
        let proposal =
            Proposal { targets, label: label.to_owned(), reason: None, hedge_after: None, propensity: None };
        Self { proposal: Arc::new(proposal) }
    }

    /// The same decision with further candidates to try after its own.
    #[must_use]
    pub fn followed_by(&self, candidates: Range<usize>) -> Self {
        let mut proposal = Proposal::clone(&self.proposal);
        proposal.targets.extend(candidates.map(|candidate| Target { candidate, timeout: None }));
        Self { proposal: Arc::new(proposal) }
    }

    /// Candidates to try, in order; never empty.
    pub fn targets(&self) -> &[Target] {
        &self.proposal.targets
    }

    /// What kind of choice it was.
    pub fn label(&self) -> &str {
        &self.proposal.label
    }

    /// Why, in the policy's words.
    pub fn reason(&self) -> Option<&str> {
        self.proposal.reason.as_deref()
    }

    /// When to start the next target beside a silent one.
    pub fn hedge_after(&self) -> Option<Duration> {
        self.proposal.hedge_after
    }

    /// Probability of the first target, if the policy explores.
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

/// Checks a label and the reason that goes with it, and returns the reason as it may
/// be shown.
pub(crate) fn check_texts(label: &str, reason: Option<String>) -> Result<Option<String>, InvalidDecision> {
    if !is_label(label) {
        return Err(InvalidDecision::Label(printable(label, MAX_LABEL)));
    }
    reason.map(|reason| check_text("reason", reason)).transpose()
}

pub(crate) fn is_label(label: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
    (1..=MAX_LABEL).contains(&label.len()) && label.bytes().all(allowed)
}

/// Refuses a text that is too long or has control characters, as the contract says.
/// Other characters that must not be shown as they are it does not rule out: they
/// are escaped.
fn check_text(what: &'static str, text: String) -> Result<String, InvalidDecision> {
    if text.len() > MAX_REASON || text.chars().any(char::is_control) {
        return Err(InvalidDecision::Text(what));
    }
    Ok(if text.chars().all(is_printable) { text } else { printable(&text, MAX_REASON) })
}

#[cfg(test)]
mod tests;
