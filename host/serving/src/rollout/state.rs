//! Rollout state: changes to policies and routes that were made while the gateway ran.

use std::collections::{BTreeMap, BTreeSet};

use pointsman_domain::ids::{Digest, PolicyName, RouteName};
use pointsman_domain::rollout::Hold;
use serde::{Deserialize, Serialize};

use pointsman_config::{Config, Route, Trial};

/// Decisions of operators and of the automatic rollback, which take precedence over the
/// configuration. A later change of the same setting in the configuration overrules them.
///
/// Serialised to `rollouts.json` in the state directory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RolloutState {
    /// States of policies by name.
    pub policies: BTreeMap<PolicyName, PolicyState>,
    /// States of routes by name.
    pub routes: BTreeMap<RouteName, RouteState>,
}

/// State of the versions of a policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PolicyState {
    /// The version that served most recently.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<Digest>,
    /// The version that served before `active`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// The version that serves instead of the one at the policy's source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen: Option<VersionOverride>,
    /// Current and past holds by version. A past hold counts towards the next one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub holds: BTreeMap<Digest, Hold>,
}

/// A version that overrides the policy's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionOverride {
    /// Digest of the version.
    pub digest: Digest,
    /// Origin of the override.
    pub how: OverrideKind,
    /// The version that overrode the source before, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Digest>,
}

/// Origin of a version override.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OverrideKind {
    /// Pinned by an operator; exempt from automatic rollback.
    Pinned,
    /// Uploaded by an operator; watched like any new version.
    Uploaded,
}

/// State of a route.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteState {
    /// The promoted policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promoted: Option<PromotedPolicy>,
    /// The trial that replaces the configured one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial: Option<TrialOverride>,
    /// Current and past holds by version, for this route only.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub holds: BTreeMap<Digest, Hold>,
}

/// A policy that replaces the configured one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromotedPolicy {
    /// Name of the policy.
    pub policy: PolicyName,
    /// The policy configured at the time. The promotion ends when the configuration names another.
    pub instead_of: PolicyName,
    /// Time of the promotion, in seconds since 1970.
    pub at: u64,
}

/// An override of a route's configured trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialOverride {
    /// The trial; `None` ends the configured one.
    pub trial: Option<Trial>,
    /// The trial configured at the time. The override ends when the configuration changes it.
    pub instead_of: Option<Trial>,
}

impl RolloutState {
    /// Returns the state of a policy, if there is any.
    pub fn policy(&self, name: &PolicyName) -> Option<&PolicyState> {
        self.policies.get(name)
    }

    /// Returns the state of a policy, which is created if it is missing.
    pub fn policy_mut(&mut self, name: &PolicyName) -> &mut PolicyState {
        self.policies.entry(name.clone()).or_default()
    }

    /// Returns the state of a route, which is created if it is missing.
    pub fn route_mut(&mut self, name: &RouteName) -> &mut RouteState {
        self.routes.entry(name.clone()).or_default()
    }

    /// Returns the hold on a version of a policy, if it is in force.
    pub fn held(&self, policy: &PolicyName, version: Digest, now: u64) -> Option<&Hold> {
        self.policies.get(policy)?.holds.get(&version).filter(|hold| hold.is_in_force(now))
    }

    /// Returns the hold on a version at a route, if it is in force.
    pub fn held_at(&self, route: &RouteName, version: Digest, now: u64) -> Option<&Hold> {
        self.routes.get(route)?.holds.get(&version).filter(|hold| hold.is_in_force(now))
    }

    /// Returns the promotion at a route, unless the configuration has overruled it.
    pub fn promoted(&self, route: &Route, config: &Config) -> Option<&PromotedPolicy> {
        let promoted = self.routes.get(&route.name)?.promoted.as_ref()?;
        let stands = promoted.instead_of == route.policy && config.policy(&promoted.policy).is_some();
        stands.then_some(promoted)
    }

    /// Returns the policy that decides at a route.
    pub fn policy_of<'s>(&'s self, route: &'s Route, config: &Config) -> &'s PolicyName {
        self.promoted(route, config).map_or(&route.policy, |promoted| &promoted.policy)
    }

    /// Returns the trial at a route. A policy is not on trial where it decides.
    pub fn trial_of<'s>(&'s self, route: &'s Route, config: &Config) -> Option<&'s Trial> {
        let other = self.routes.get(&route.name).and_then(|state| state.trial.as_ref());
        let trial = match other.filter(|other| other.instead_of == route.trial) {
            Some(other) => other.trial.as_ref(),
            None => route.trial.as_ref(),
        };
        trial.filter(|trial| {
            config.policy(&trial.policy).is_some() && trial.policy != *self.policy_of(route, config)
        })
    }

    /// Returns the earliest end of a hold after a time, in seconds since 1970.
    pub fn next_end(&self, after: u64) -> Option<u64> {
        let policies = self.policies.values().flat_map(|policy| policy.holds.values());
        let routes = self.routes.values().flat_map(|route| route.holds.values());
        policies.chain(routes).filter_map(|hold| hold.until).filter(|until| *until > after).min()
    }

    /// Returns the versions whose code has to stay stored.
    pub fn versions(&self) -> BTreeSet<Digest> {
        self.policies.values().flat_map(PolicyState::versions).collect()
    }

    /// Removes decisions that the configuration has overruled, and returns the promotions that ended
    /// with the routes they were at. Holds are never removed: a policy that is removed from the
    /// configuration and added again is as bad as before.
    pub fn forget_overruled(&mut self, config: &Config) -> Vec<(RouteName, PromotedPolicy)> {
        self.policies.retain(|name, policy| {
            if config.policy(name).is_none() {
                *policy = PolicyState { holds: std::mem::take(&mut policy.holds), ..PolicyState::default() };
            }
            *policy != PolicyState::default()
        });
        self.routes.retain(|name, route| {
            if config.route(name).is_none() {
                *route = RouteState { holds: std::mem::take(&mut route.holds), ..RouteState::default() };
            }
            *route != RouteState::default()
        });
        let mut over = Vec::new();
        for route in &config.routes {
            let stands = self.promoted(route, config).is_some();
            let Some(state) = self.routes.get_mut(&route.name) else { continue };
            if !stands && let Some(promoted) = state.promoted.take() {
                over.push((route.name.clone(), promoted));
            }
            state.trial.take_if(|other| other.instead_of != route.trial);
        }
        over
    }
}

impl PolicyState {
    /// Returns the versions of the policy whose code has to stay stored.
    pub fn versions(&self) -> impl Iterator<Item = Digest> {
        let chosen = self.chosen.into_iter().flat_map(|chosen| [Some(chosen.digest), chosen.before]);
        [self.active, self.previous].into_iter().chain(chosen).flatten()
    }

    /// Removes the override by a version that no longer serves, and restores the one before it.
    pub fn drop_chosen(&mut self, version: Digest) {
        if let Some(chosen) = self.chosen.filter(|chosen| chosen.digest == version) {
            self.chosen = chosen.before.map(|digest| VersionOverride {
                digest,
                how: OverrideKind::Uploaded,
                before: None,
            });
        }
    }
}

#[cfg(test)]
mod tests;
