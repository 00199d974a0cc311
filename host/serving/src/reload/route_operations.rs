//! Operations on the policies of routes: trials and promotions.
//!
//! Each operation changes the state and builds a snapshot from it. Operations run one at a time,
//! and none waits for a compiler. An operation that fails changes nothing.

use std::sync::Arc;

use pointsman_config::{self as config, Trial};
use pointsman_domain::ids::{Digest, PolicyName, RouteName};
use pointsman_domain::rollout::Hold;
use pointsman_policy::PolicySlot;

use super::Reloader;
use crate::clock::unix_seconds;
use crate::rollout::state::{PromotedPolicy, TrialOverride};
use crate::rollout::{Actor, AuditEntry, RolloutState, StateStoreError};
use crate::snapshot::{LoadedPolicies, Snapshot, connect};

/// The attribution of a change in the audit log.
#[derive(Clone, Debug)]
pub struct ChangeAttribution {
    /// The originator.
    pub who: Actor,
    /// The reason; empty if none was given.
    pub why: String,
}

/// Failure of an operation, which has changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The route, policy or version does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The operation contradicts the current state.
    #[error("{0}")]
    Conflict(String),
    /// An argument was rejected.
    #[error("{0}")]
    Invalid(String),
    /// The state could not be stored.
    #[error(transparent)]
    StateStore(#[from] StateStoreError),
}

impl Reloader {
    /// Starts, changes or ends the trial at a route.
    pub fn set_trial(
        &self,
        route: &RouteName,
        trial: Option<Trial>,
        attribution: ChangeAttribution,
    ) -> Result<(), OperationError> {
        let _guard = self.lock_changes();
        let current = self.app.snapshot();
        let mut state = self.rollouts.state();
        let configured = self::route(&current, route)?;
        let event = match &trial {
            Some(trial) => {
                let digest = self.check_trial(&current, &state, configured, trial)?;
                let action = match trial.mode {
                    config::Mode::Shadow => "shadow",
                    config::Mode::Canary { .. } => "canary",
                };
                let event = AuditEntry::new(attribution.who, action).policy(&trial.policy).to(digest);
                match trial.mode {
                    config::Mode::Shadow => event.why(attribution.why),
                    config::Mode::Canary { percent } => {
                        event.why(with(format!("{percent} %"), &attribution.why))
                    }
                }
            }
            None => {
                let Some(trial) = state.trial_of(configured, &current.config) else {
                    return Err(OperationError::Conflict(format!(
                        "no policy is on trial at the route `{route}`"
                    )));
                };
                AuditEntry::new(attribution.who, "end-trial").policy(&trial.policy).why(attribution.why)
            }
        };
        let other = TrialOverride { trial, instead_of: configured.trial.clone() };
        state.route_mut(route).trial = Some(other);
        self.decide(&current, state, event.route(route))
    }

    fn check_trial(
        &self,
        current: &Snapshot,
        state: &RolloutState,
        route: &config::Route,
        trial: &Trial,
    ) -> Result<Digest, OperationError> {
        let slot = slot(current, &trial.policy)?;
        if !trial.mode.is_possible() {
            return Err(OperationError::Invalid(
                "`percent` has to be a number above 0 and up to 100".to_owned(),
            ));
        }
        if trial.policy == *state.policy_of(route, &current.config) {
            return Err(OperationError::Conflict(format!(
                "the policy `{}` decides at the route `{}` already",
                trial.policy, route.name
            )));
        }
        let digest = slot.active().digest();
        match trial.mode {
            config::Mode::Shadow => {}
            config::Mode::Canary { .. } => {
                check_not_held(state.held_at(&route.name, digest, unix_seconds()), &trial.policy, digest)?
            }
        }
        Ok(digest)
    }

    /// Promotes the policy on trial at a route.
    pub fn promote(&self, route: &RouteName, attribution: ChangeAttribution) -> Result<(), OperationError> {
        let _guard = self.lock_changes();
        let current = self.app.snapshot();
        let mut state = self.rollouts.state();
        let configured = self::route(&current, route)?;
        let Some(trial) = state.trial_of(configured, &current.config).cloned() else {
            return Err(OperationError::Conflict(format!(
                "no policy is on trial at the route `{route}`: put one on trial first, and look how it does"
            )));
        };
        let digest = slot(&current, &trial.policy)?.active().digest();
        check_not_held(state.held_at(route, digest, unix_seconds()), &trial.policy, digest)?;
        let now = unix_seconds();
        let decided = state.route_mut(route);
        decided.promoted = (trial.policy != configured.policy).then(|| PromotedPolicy {
            policy: trial.policy.clone(),
            instead_of: configured.policy.clone(),
            at: now,
        });
        decided.trial = Some(TrialOverride { trial: None, instead_of: configured.trial.clone() });
        let event = AuditEntry::new(attribution.who, "promote").route(route).policy(&trial.policy).to(digest);
        self.decide(&current, state, event.why(attribution.why))?;
        if let Some(trial) = current.served.get(route.as_str()).and_then(|served| served.trial.as_ref()) {
            trial.merge_state();
        }
        Ok(())
    }

    /// Ends a promotion, so that the configured policy decides at the route again.
    pub fn demote(&self, route: &RouteName, attribution: ChangeAttribution) -> Result<(), OperationError> {
        let _guard = self.lock_changes();
        let current = self.app.snapshot();
        let state = self.rollouts.state();
        let configured = self::route(&current, route)?;
        let Some(promoted) = state.promoted(configured, &current.config).cloned() else {
            return Err(OperationError::Conflict(format!(
                "no policy was promoted at the route `{route}`: `{}` decides there as configured",
                configured.policy
            )));
        };
        let (state, event) = demoted(&current, state, route, &promoted, attribution);
        self.decide(&current, state, event)
    }

    /// Commits an operator's change of a route.
    fn decide(
        &self,
        current: &Snapshot,
        state: RolloutState,
        event: AuditEntry,
    ) -> Result<(), OperationError> {
        let snapshot = rebuilt(current, &state)?;
        self.commit(state, event, || self.app.swap(snapshot))
    }

    /// Commits an automatic rollback at a route.
    pub(super) fn decide_at_once(&self, current: &Snapshot, state: RolloutState, event: AuditEntry) {
        let snapshot = rebuilt(current, &state);
        self.commit_at_once(state, event, || match snapshot {
            Ok(snapshot) => self.app.swap(snapshot),
            Err(error) => tracing::error!("cannot apply an automatic rollback: {error}"),
        });
    }

    /// Stores an operator's change, puts it in force and records it. All operations come through
    /// here.
    ///
    /// # Errors
    /// Fails if the change cannot be stored; nothing has changed then.
    pub(super) fn commit(
        &self,
        state: RolloutState,
        event: AuditEntry,
        put_in_force: impl FnOnce(),
    ) -> Result<(), OperationError> {
        self.rollouts.store(state)?;
        put_in_force();
        self.rollouts.audit.record(event);
        Ok(())
    }

    /// Puts an automatic rollback in force at once, since it protects requests. If it cannot be
    /// stored, the write is retried later.
    pub(super) fn commit_at_once(&self, state: RolloutState, event: AuditEntry, put_in_force: impl FnOnce()) {
        put_in_force();
        self.rollouts.put_in_force(state);
        self.rollouts.audit.record(event);
    }
}

/// Builds a snapshot of the same configuration with another rollout state.
pub(super) fn rebuilt(current: &Snapshot, state: &RolloutState) -> Result<Snapshot, OperationError> {
    rebuilt_with(current.policies(), current, state)
}

/// Builds a snapshot of the same configuration with other policies and rollout state.
pub(super) fn rebuilt_with(
    policies: LoadedPolicies,
    current: &Snapshot,
    state: &RolloutState,
) -> Result<Snapshot, OperationError> {
    let config = current.config.clone();
    // No backend is new, so none can fail.
    let backends =
        connect(&config, Some(current)).map_err(|error| OperationError::Conflict(error.to_string()))?;
    Ok(Snapshot::build(config, backends, policies, state, Some(current), unix_seconds()))
}

/// Removes a promotion from the state, and returns the state with the audit entry.
pub(super) fn demoted(
    current: &Snapshot,
    mut state: RolloutState,
    route: &RouteName,
    promoted: &PromotedPolicy,
    attribution: ChangeAttribution,
) -> (RolloutState, AuditEntry) {
    state.route_mut(route).promoted = None;
    let event =
        AuditEntry::new(attribution.who, "demote").route(route).policy(&promoted.policy).why(attribution.why);
    let slot = current.slots.get(&promoted.policy);
    let event = match slot {
        Some(slot) => event.to(slot.active().digest()),
        None => event,
    };
    (state, event)
}

fn route<'s>(current: &'s Snapshot, name: &RouteName) -> Result<&'s config::Route, OperationError> {
    current.config.route(name).ok_or_else(|| {
        let names: Vec<&str> = current.config.routes.iter().map(|route| route.name.as_str()).collect();
        OperationError::NotFound(format!("there is no route `{name}`; there are: {}", names.join(", ")))
    })
}

pub(super) fn slot<'s>(
    current: &'s Snapshot,
    name: &PolicyName,
) -> Result<&'s Arc<PolicySlot>, OperationError> {
    current.slots.get(name).ok_or_else(|| {
        if let Some(policy) = current.unavailable.get(name) {
            return OperationError::Conflict(format!(
                "the policy `{name}` is not loaded yet: {}",
                policy.error
            ));
        }
        let names: Vec<&str> = current.slots.keys().map(PolicyName::as_str).collect();
        OperationError::NotFound(format!("there is no policy `{name}`; there are: {}", names.join(", ")))
    })
}

/// Checks that no hold on a version is in force.
pub(super) fn check_not_held(
    hold: Option<&Hold>,
    policy: &PolicyName,
    version: Digest,
) -> Result<(), OperationError> {
    let Some(hold) = hold else { return Ok(()) };
    let short = version.short();
    Err(OperationError::Conflict(format!(
        "version {short} of the policy `{policy}` is on hold ({}); \
         `pointsman policy release {policy} {short}` lifts that",
        hold.why
    )))
}

/// Joins the gateway's reason and the operator's, which may be empty.
pub(super) fn with(reason: String, given: &str) -> String {
    if given.is_empty() { reason } else { format!("{reason}: {given}") }
}
