//! What a reload did, for the log and the admin API.

use pointsman_telemetry::metrics::ReloadMetrics;

use super::policies::{Change, Committed, What};
use crate::clock::unix_seconds;

/// What one reload did.
#[derive(Clone, Debug)]
pub struct Report {
    /// What called for it: `file`, `signal`, `poll` or `admin`.
    pub cause: &'static str,
    /// When, in seconds since 1970.
    pub at: u64,
    /// Whether the configuration took effect.
    pub config: Verdict,
    /// What was done about each policy.
    pub policies: Vec<PolicyReport>,
}

/// What became of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in force, changed or not.
    Applied,
    /// It changed nothing; the old one goes on.
    Rejected(String),
}

/// `change` of a policy of which there is no version yet.
const UNAVAILABLE: &str = "unavailable";

#[derive(Clone, Debug)]
pub struct PolicyReport {
    pub name: String,
    /// `kept`, `loaded`, `swapped`, `rejected` if a version was not let in, or `unavailable` if
    /// there is no version at all.
    pub change: &'static str,
    pub from: Option<String>,
    pub to: Option<String>,
    pub error: Option<String>,
}

impl Report {
    pub(super) fn new(cause: &'static str, config: Verdict, committed: &Committed) -> Self {
        let at = unix_seconds();
        Self { cause, at, config, policies: committed.0.iter().map(PolicyReport::from).collect() }
    }

    /// Whether everything on disk is in force now.
    pub fn is_clean(&self) -> bool {
        self.config == Verdict::Applied && self.policies.iter().all(|policy| policy.error.is_none())
    }

    pub(super) fn count(&self, counts: &mut ReloadMetrics) {
        counts.last_is_clean = self.is_clean();
        match self.config {
            Verdict::Applied if self.is_clean() => {
                counts.applied += 1;
                counts.last_applied = self.at;
            }
            Verdict::Applied => counts.partial += 1,
            Verdict::Rejected(_) => counts.rejected += 1,
        }
    }

    pub(super) fn log(&self) {
        match &self.config {
            // A poll that finds nothing is nothing new.
            Verdict::Applied if self.cause == "poll" => tracing::debug!(cause = self.cause, "reloaded"),
            Verdict::Applied => tracing::info!(cause = self.cause, "reloaded"),
            Verdict::Rejected(error) => {
                tracing::error!(
                    cause = self.cause,
                    "the configuration was rejected, the old one goes on:\n{error}"
                );
            }
        }
        for policy in self.policies.iter().filter(|policy| policy.change != "kept") {
            match &policy.error {
                Some(error) if policy.change == UNAVAILABLE => log_unavailable(&policy.name, error),
                Some(error) => tracing::error!(
                    policy = policy.name,
                    "a version of the policy was rejected, the old one goes on: {error}"
                ),
                None => tracing::info!(
                    policy = policy.name,
                    from = policy.from,
                    to = policy.to,
                    "policy {}",
                    policy.change
                ),
            }
        }
    }
}

/// Reports a policy that is missing while the others serve.
pub(super) fn log_unavailable(policy: &str, error: &str) {
    tracing::error!(
        policy,
        "the policy is not loaded, and its routes follow `on_failure` until it is: {error}"
    );
}

impl From<&Change> for PolicyReport {
    fn from(Change { name, what, rejected, .. }: &Change) -> Self {
        let (change, from, to) = match what {
            What::Kept => ("kept", None, None),
            What::Nothing => (UNAVAILABLE, None, None),
            What::Loaded { to } => ("loaded", None, Some(to.to_string())),
            What::Swapped { from, to } => ("swapped", Some(from.to_string()), Some(to.to_string())),
        };
        let change = if rejected.is_some() && change != UNAVAILABLE { "rejected" } else { change };
        Self { name: name.to_string(), change, from, to, error: rejected.clone() }
    }
}
