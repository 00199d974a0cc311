//! Report of a reload, for the log and the admin API.

use pointsman_telemetry::metrics::ReloadMetrics;

use super::policies::{LoadFailure, PolicyChange, PolicyChanges, VersionChange};
use crate::clock::unix_seconds;

/// Report of one reload.
#[derive(Clone, Debug)]
pub struct Report {
    /// Trigger: `file`, `signal`, `poll`, `retry`, `admin`, `rollback` or `backoff`.
    pub cause: &'static str,
    /// Time of the reload, in seconds since 1970.
    pub at: u64,
    /// Result of the configuration.
    pub config: Verdict,
    /// Results of the policies.
    pub policies: Vec<PolicyReport>,
}

/// Result of a reload for the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// In force, changed or not.
    Applied,
    /// Rejected with this error; the previous configuration stays in force.
    Rejected(String),
}

/// `change` of a policy of which no version could be loaded yet.
const UNAVAILABLE: &str = "unavailable";

/// Result of a reload for one policy.
#[derive(Clone, Debug)]
pub struct PolicyReport {
    pub name: String,
    /// `kept`, `loaded`, `swapped`, `rejected` if a version was rejected, or `unavailable` if
    /// there is no version at all.
    pub change: &'static str,
    pub from: Option<String>,
    pub to: Option<String>,
    pub error: Option<String>,
    /// The error for the log, with its place in the configuration.
    log_message: Option<String>,
}

impl Report {
    pub(super) fn new(cause: &'static str, config: Verdict, committed: &PolicyChanges) -> Self {
        let at = unix_seconds();
        Self { cause, at, config, policies: committed.0.iter().map(PolicyReport::from).collect() }
    }

    /// Returns whether the configuration and all policies at their sources are in force.
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
            // Polls are frequent; one that changes nothing is not worth a line.
            Verdict::Applied if self.cause == "poll" => tracing::debug!(cause = self.cause, "reloaded"),
            Verdict::Applied => tracing::info!(cause = self.cause, "reloaded"),
            Verdict::Rejected(error) => {
                tracing::error!(
                    cause = self.cause,
                    "the configuration was rejected, the previous one stays in force:\n{error}"
                );
            }
        }
        for policy in self.policies.iter().filter(|policy| policy.change != "kept") {
            match &policy.log_message {
                Some(error) if policy.change == UNAVAILABLE => log_unavailable(&policy.name, error),
                Some(error) => tracing::error!(
                    policy = policy.name,
                    "a version of the policy was rejected, the previous one keeps serving: {error}"
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

impl From<&PolicyChange> for PolicyReport {
    fn from(PolicyChange { name, version, rejected, .. }: &PolicyChange) -> Self {
        let (change, from, to) = match version {
            VersionChange::Unchanged => ("kept", None, None),
            VersionChange::Unavailable => (UNAVAILABLE, None, None),
            VersionChange::Loaded { to } => ("loaded", None, Some(to.to_string())),
            VersionChange::Swapped { from, to } => ("swapped", Some(from.to_string()), Some(to.to_string())),
        };
        let change = if rejected.is_some() && change != UNAVAILABLE { "rejected" } else { change };
        Self {
            name: name.to_string(),
            change,
            from,
            to,
            error: rejected.as_ref().map(|failure| failure.message().to_owned()),
            log_message: rejected.as_ref().map(LoadFailure::log_message),
        }
    }
}
