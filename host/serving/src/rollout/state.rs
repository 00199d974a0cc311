//! What was decided about policies while the gateway ran.

use std::collections::{BTreeMap, BTreeSet};

use pointsman_domain::ids::{Digest, PolicyName, RouteName};
use pointsman_domain::rollout::Hold;
use serde::{Deserialize, Serialize};

use pointsman_config::{Config, Route, Trial};

/// What persons and the guard decided, over what the configuration says. A
/// word of the configuration that was changed since overrules it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// By policy.
    pub policies: BTreeMap<PolicyName, PolicyState>,
    /// By route.
    pub routes: BTreeMap<RouteName, RouteState>,
}

/// What was decided about a policy's versions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PolicyState {
    /// The version that served last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<Digest>,
    /// The one before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// The version that serves whatever the policy's source says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Chosen>,
    /// Versions that are left alone, or were.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub holds: BTreeMap<Digest, Hold>,
}

/// A version that was chosen over the policy's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// Which.
    pub digest: Digest,
    /// How.
    pub how: OverrideKind,
    /// The version that was uploaded before it, if the source was overruled already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Digest>,
}

/// How a version came to be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OverrideKind {
    /// By a person, who wants this one and no other: it is not rolled back by itself.
    Pinned,
    /// By being uploaded: it is watched like any new version.
    Uploaded,
}

/// What was decided about a route.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteState {
    /// The policy that took over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promoted: Option<Promoted>,
    /// The trial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial: Option<OtherTrial>,
    /// Versions that may not decide here, or might not.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub holds: BTreeMap<Digest, Hold>,
}

/// A policy that took over from the one in the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Promoted {
    /// Which.
    pub policy: PolicyName,
    /// What the configuration said then.
    pub instead_of: PolicyName,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// A trial other than the configuration's, or none at all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OtherTrial {
    /// The trial.
    pub trial: Option<Trial>,
    /// What the configuration said then.
    pub instead_of: Option<Trial>,
}

impl State {
    /// What was decided about a policy.
    pub fn policy(&self, name: &PolicyName) -> Option<&PolicyState> {
        self.policies.get(name)
    }

    /// What was decided about a policy, to be changed.
    pub fn policy_mut(&mut self, name: &PolicyName) -> &mut PolicyState {
        self.policies.entry(name.clone()).or_default()
    }

    /// What was decided about a route, to be changed.
    pub fn route_mut(&mut self, name: &RouteName) -> &mut RouteState {
        self.routes.entry(name.clone()).or_default()
    }

    /// The hold on a version of a policy, if it is in force.
    pub fn held(&self, policy: &PolicyName, version: Digest, now: u64) -> Option<&Hold> {
        self.policies.get(policy)?.holds.get(&version).filter(|hold| hold.is_in_force(now))
    }

    /// The hold on a version at a route, if it is in force.
    pub fn held_at(&self, route: &RouteName, version: Digest, now: u64) -> Option<&Hold> {
        self.routes.get(route)?.holds.get(&version).filter(|hold| hold.is_in_force(now))
    }

    /// The promotion at a route, unless the configuration has another word since.
    pub fn promoted(&self, route: &Route, config: &Config) -> Option<&Promoted> {
        let promoted = self.routes.get(&route.name)?.promoted.as_ref()?;
        let stands = promoted.instead_of == route.policy && config.policy(&promoted.policy).is_some();
        stands.then_some(promoted)
    }

    /// The policy that decides at a route.
    pub fn policy_of<'s>(&'s self, route: &'s Route, config: &Config) -> &'s PolicyName {
        self.promoted(route, config).map_or(&route.policy, |promoted| &promoted.policy)
    }

    /// The trial at a route. A policy is not on trial where it decides.
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

    /// When the next hold after a time ends, in seconds since 1970.
    pub fn next_end(&self, after: u64) -> Option<u64> {
        let policies = self.policies.values().flat_map(|policy| policy.holds.values());
        let routes = self.routes.values().flat_map(|route| route.holds.values());
        policies.chain(routes).filter_map(|hold| hold.until).filter(|until| *until > after).min()
    }

    /// Versions whose code may be asked for again.
    pub fn versions(&self) -> BTreeSet<Digest> {
        self.policies.values().flat_map(PolicyState::versions).collect()
    }

    /// Forgets what the configuration has another word on since. Gives the routes
    /// whose promotion is over. Holds are never forgotten: a policy that is taken out
    /// of the configuration and put back is no better than it was.
    pub fn forget_overruled(&mut self, config: &Config) -> Vec<(RouteName, Promoted)> {
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
    /// Versions whose code may be asked for again.
    pub fn versions(&self) -> impl Iterator<Item = Digest> {
        let chosen = self.chosen.into_iter().flat_map(|chosen| [Some(chosen.digest), chosen.before]);
        [self.active, self.previous].into_iter().chain(chosen).flatten()
    }

    /// A version does not serve any more: neither is it chosen.
    pub fn drop_chosen(&mut self, version: Digest) {
        if let Some(chosen) = self.chosen.filter(|chosen| chosen.digest == version) {
            self.chosen =
                chosen.before.map(|digest| Chosen { digest, how: OverrideKind::Uploaded, before: None });
        }
    }
}

#[cfg(test)]
mod tests;
