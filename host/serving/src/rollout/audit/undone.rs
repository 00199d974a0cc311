//! How often something was undone about a policy: what an operator is woken up for.

use std::collections::HashMap;

use pointsman_domain::ids::PolicyName;
use pointsman_telemetry::metrics::Undone;

use super::{Actor, Event};

/// What can be undone, and by whom. A person ends a canary, and the configuration
/// overrules a promotion: neither is undone.
const KINDS: [(&str, &str); 5] = [
    ("rollback", "gateway"),
    ("suspend-canary", "gateway"),
    ("demote", "gateway"),
    ("rollback", "admin"),
    ("demote", "admin"),
];

/// Counts by policy.
#[derive(Debug, Default)]
pub(super) struct UndoneCounts(HashMap<PolicyName, [u64; KINDS.len()]>);

impl UndoneCounts {
    /// Counts an event, if it is one of these.
    pub(super) fn count(&mut self, event: &Event) {
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

    /// Those of a policy, also what never happened.
    pub(super) fn of(&self, policy: &PolicyName) -> Vec<Undone> {
        let counts = self.0.get(policy).copied().unwrap_or_default();
        KINDS.into_iter().zip(counts).map(|((action, by), count)| Undone { action, by, count }).collect()
    }
}
