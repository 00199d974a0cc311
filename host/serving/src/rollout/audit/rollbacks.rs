//! Counts of rollbacks by policy, for metrics and alerts.

use std::collections::HashMap;

use pointsman_domain::ids::PolicyName;
use pointsman_telemetry::metrics::RollbackCount;

use super::{Actor, AuditEntry};

/// Actions that count as a rollback, with their originator. An operator who ends a canary and a
/// configuration that overrules a promotion are not rollbacks.
const KINDS: [(&str, &str); 5] = [
    ("rollback", "gateway"),
    ("suspend-canary", "gateway"),
    ("demote", "gateway"),
    ("rollback", "admin"),
    ("demote", "admin"),
];

/// Counts by policy.
#[derive(Debug, Default)]
pub(super) struct RollbackCounts(HashMap<PolicyName, [u64; KINDS.len()]>);

impl RollbackCounts {
    /// Counts an entry, if its action is a rollback.
    pub(super) fn count(&mut self, event: &AuditEntry) {
        let by = match event.who {
            Actor::Gateway => "gateway",
            Actor::Admin(_) => "admin",
            Actor::Configuration => return,
        };
        let kind = KINDS.iter().position(|kind| *kind == (event.action.as_str(), by));
        if let (Some(kind), Some(policy)) = (kind, &event.policy)
            && let Some(count) = self.0.entry(policy.clone()).or_default().get_mut(kind)
        {
            *count += 1;
        }
    }

    /// Returns the counts of a policy, zeros included.
    pub(super) fn of(&self, policy: &PolicyName) -> Vec<RollbackCount> {
        let counts = self.0.get(policy).copied().unwrap_or_default();
        KINDS
            .into_iter()
            .zip(counts)
            .map(|((action, by), count)| RollbackCount { action, by, count })
            .collect()
    }
}
