//! The decisions of one request: which policies ran, with which results, and how a plan goes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pointsman_domain::history::{DecisionEntry, PlanRun};
use pointsman_policy::Policy;

use super::RequestReport;

/// Decisions of a request in their order. Tasks of a plan add to it concurrently.
#[derive(Debug, Default)]
pub struct DecisionTrail(Mutex<Decisions>);

/// The content of a [`DecisionTrail`].
#[derive(Debug, Default)]
pub(super) struct Decisions {
    /// Calls of policies, and decisions of the gateway itself.
    pub(super) entries: Vec<DecisionEntry>,
    /// Label of the decision in force.
    pub(super) label: Option<String>,
    policy: Option<Arc<Policy>>,
    failure: Option<&'static str>,
    /// The plan, if there is one.
    pub(super) plan: Option<PlanRun>,
}

impl DecisionTrail {
    /// Appends calls of policies.
    pub fn append(&self, mut entries: Vec<DecisionEntry>) {
        let mut decisions = self.lock();
        // Nearly all requests have one decision.
        if decisions.entries.is_empty() {
            decisions.entries = entries;
        } else {
            decisions.entries.append(&mut entries);
        }
    }

    /// Records the decision in force; `policy` is `None` for the gateway's own order.
    pub fn record(&self, label: &str, policy: Option<&Arc<Policy>>) {
        let mut decisions = self.lock();
        decisions.label = Some(label.to_owned());
        decisions.policy = policy.cloned();
    }

    /// Records the policy that rejected the request.
    pub fn record_rejection(&self, policy: &Arc<Policy>) {
        self.lock().policy = Some(Arc::clone(policy));
    }

    /// Records why the route's own policy did not decide.
    pub fn record_failure(&self, reason: &'static str) {
        self.lock().failure = Some(reason);
    }

    /// Replaces the label, as each step of a plan has one of its own.
    pub fn relabel(&self, label: &str) {
        self.lock().label = Some(label.to_owned());
    }

    /// Updates the state of the plan.
    pub fn update_plan(&self, update: impl FnOnce(&mut PlanRun)) {
        update(self.lock().plan.get_or_insert_default());
    }

    /// Returns whether there is a plan.
    pub fn has_plan(&self) -> bool {
        self.lock().plan.is_some()
    }

    pub(super) fn report(&self) -> RequestReport {
        let decisions = self.lock();
        RequestReport {
            label: decisions.label.clone(),
            policy: decisions.policy.as_ref().map(|policy| policy.version().to_owned()),
            policy_failure: decisions.failure,
            tasks: decisions.plan.as_ref().map(|run| run.tasks.len()),
            ..RequestReport::default()
        }
    }

    pub(super) fn take(&self) -> Decisions {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Decisions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
