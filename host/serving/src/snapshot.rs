//! Everything that a request is answered by: one configuration, connected and
//! loaded.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use pointsman_backends::{Backend, InvalidBackend, Prober};
use pointsman_domain::history::Baseline;
use pointsman_domain::ids::{BackendName, PolicyName};
use pointsman_domain::model::Model;
use pointsman_policy::PolicySlot;

use crate::auth::Keyring;
use crate::clock::unix_seconds;
use crate::rollout::state::Promoted;
use crate::rollout::{Promotion, State, Trial};
use pointsman_config::{self as config, Config, Mode, RouteLimits};

/// Loaded policies by name.
pub type Slots = BTreeMap<PolicyName, Arc<PolicySlot>>;

/// Policies of a configuration: those that are loaded, and those that are not.
#[derive(Clone, Default)]
pub struct LoadedPolicies {
    /// Loaded policies.
    pub slots: Slots,
    /// Policies that are not loaded.
    pub unavailable: UnavailablePolicies,
}

/// Policies that could not be loaded yet, by name. Their routes follow `on_failure`.
pub type UnavailablePolicies = BTreeMap<PolicyName, UnavailablePolicy>;

/// A policy that could not be loaded yet.
#[derive(Clone, Debug)]
pub struct UnavailablePolicy {
    /// Why the last attempt failed.
    pub error: String,
    /// Time of the last attempt, in seconds since 1970.
    pub at: u64,
}

/// Connected backends by name.
pub type Backends = HashMap<BackendName, Backend>;

/// One configuration at work. Never changed: a reload makes another.
pub struct Snapshot {
    /// What it was built from.
    pub config: Config,
    /// Who may call.
    pub keys: Keyring,
    /// Routes, and models that are addressed directly, by what clients call them.
    pub served: HashMap<Arc<str>, Route>,
    /// Where calls go.
    pub backends: Backends,
    /// Loaded policies, used or not.
    pub slots: Slots,
    /// Policies that could not be loaded yet.
    pub unavailable: UnavailablePolicies,
    /// Longest request body.
    pub max_body_bytes: usize,
    /// When it was built, in seconds since 1970.
    pub created: u64,
    /// Asks backends whether they are there, for as long as the snapshot lives.
    _probers: Vec<Prober>,
}

/// What a model name in a request leads to.
pub struct Route {
    /// The name.
    pub name: Arc<str>,
    /// How a model is chosen.
    pub strategy: Strategy,
    /// Among which.
    pub models: Vec<Arc<Model>>,
    /// How long and how often is tried.
    pub limits: RouteLimits,
    /// The model that would answer without routing, which costs are compared with.
    pub baseline: Option<Arc<Model>>,
    /// The policy on trial.
    pub trial: Option<Trial>,
    /// That its policy took over lately from another one.
    pub promotion: Option<Arc<Promotion>>,
}

/// How a route's model is chosen.
pub enum Strategy {
    /// A policy decides.
    Policy(Decider),
    /// There is one model, and the client named it.
    Direct,
}

/// A policy, and what happens when it fails.
pub struct Decider {
    /// The policy's name.
    pub policy: PolicyName,
    /// The policy, whatever version is loaded; `None` while none is.
    pub slot: Option<Arc<PolicySlot>>,
    /// What happens when it fails.
    pub on_failure: OnFailure,
}

/// What happens when a policy fails.
pub enum OnFailure {
    /// The models are tried in the route's order.
    StaticOrder,
    /// The version before decides.
    Previous,
    /// The request is turned down.
    Reject,
    /// Another policy decides. The configuration has no circles.
    Ask(Box<Decider>),
}

impl Snapshot {
    /// Wires what a configuration names, and what was decided since. Models that
    /// did not change since the previous snapshot keep their live stats.
    pub fn build(
        mut config: Config,
        backends: Backends,
        policies: LoadedPolicies,
        state: &State,
        previous: Option<&Self>,
    ) -> Self {
        let LoadedPolicies { slots, unavailable } = policies;
        if let Some(previous) = previous {
            config.keep_live_stats(&previous.config);
        }
        Self {
            keys: Keyring::new(&config.keys),
            served: served(&config, &slots, state, previous),
            _probers: probers(&config, &backends),
            backends,
            max_body_bytes: config.server.max_body_bytes,
            created: unix_seconds(),
            slots,
            unavailable,
            config,
        }
    }

    /// The loaded policies, and those that are not.
    pub fn policies(&self) -> LoadedPolicies {
        LoadedPolicies { slots: self.slots.clone(), unavailable: self.unavailable.clone() }
    }

    /// The policy that decides at a route: the promoted one, unless it is not loaded.
    pub fn policy_of<'a>(&'a self, route: &'a config::Route) -> &'a PolicyName {
        match self.served.get(route.name.as_str()).map(|served| &served.strategy) {
            Some(Strategy::Policy(decider)) => &decider.policy,
            _ => &route.policy,
        }
    }

    /// Routes, then models, in the order of the configuration.
    pub fn in_order(&self) -> impl Iterator<Item = &Route> {
        let routes = self.config.routes.iter().map(|route| route.name.as_str());
        let models = self.config.models.iter().map(|model| model.id.as_str());
        routes.chain(models).filter_map(|name| self.served.get(name))
    }
}

/// A backend that cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("backend `{name}`: {reason}")]
pub struct UnusableBackend {
    name: BackendName,
    reason: InvalidBackend,
}

/// Connects the backends of a configuration. Those that did not change since the
/// previous snapshot keep their connections.
pub fn connect(config: &Config, previous: Option<&Snapshot>) -> Result<Backends, UnusableBackend> {
    let mut backends = HashMap::new();
    for backend in &config.backends {
        let same = previous.filter(|previous| {
            previous.config.backends.iter().any(|old| {
                old.name == backend.name
                    && old.transport == backend.transport
                    && old.dialect == backend.dialect
            })
        });
        let connected = match same.and_then(|previous| previous.backends.get(&backend.name)) {
            Some(connected) => connected.clone(),
            None => Backend::new(backend.transport.clone(), backend.dialect)
                .map_err(|reason| UnusableBackend { name: backend.name.clone(), reason })?,
        };
        backends.insert(backend.name.clone(), connected);
    }
    Ok(backends)
}

fn probers(config: &Config, backends: &Backends) -> Vec<Prober> {
    let probed = config.backends.iter().filter_map(|backend| {
        let probe = backend.probe.clone()?;
        let models = config.models.iter().filter(|model| model.backend == backend.name).cloned().collect();
        Some(Prober::start(backend.name.clone(), backends.get(&backend.name)?.clone(), models, probe))
    });
    probed.collect()
}

fn served(
    config: &Config,
    slots: &Slots,
    state: &State,
    previous: Option<&Snapshot>,
) -> HashMap<Arc<str>, Route> {
    let models = config.models.iter().map(|model| direct(model, config));
    let routes = config.routes.iter().filter_map(|route| {
        let before = previous.and_then(|previous| previous.served.get(route.name.as_str()));
        routed(config, slots, state, route, before)
    });
    models.chain(routes).map(|route| (Arc::clone(&route.name), route)).collect()
}

/// A model that clients name themselves.
fn direct(model: &Arc<Model>, config: &Config) -> Route {
    Route {
        name: model.id.as_str().into(),
        strategy: Strategy::Direct,
        models: vec![Arc::clone(model)],
        limits: RouteLimits::unstated(config.retry_budget),
        baseline: None,
        trial: None,
        promotion: None,
    }
}

/// A route of the configuration, with what was decided about it since. Trials and promotions of
/// policies that are not loaded wait until they are. `None` only if the configuration lacks a
/// policy that it names, in which case there is no snapshot.
fn routed(
    config: &Config,
    slots: &Slots,
    state: &State,
    route: &config::Route,
    before: Option<&Route>,
) -> Option<Route> {
    let promoted = state.promoted(route, config).filter(|promoted| slots.contains_key(&promoted.policy));
    let policy = promoted.map_or(&route.policy, |promoted| &promoted.policy);
    let decider = decider(config, slots, policy, &route.on_failure)?;
    let now = unix_seconds();
    let trial = state.trial_of(route, config).filter(|trial| trial.policy != *policy).and_then(|trial| {
        let slot = slots.get(&trial.policy)?;
        let held = state.held_at(&route.name, slot.active().digest(), now).is_some();
        let before = before.and_then(|before| before.trial.as_ref());
        (!held || trial.mode == Mode::Shadow).then(|| Trial::new(Arc::clone(slot), trial.mode, before))
    });
    Some(Route {
        name: route.name.as_str().into(),
        strategy: Strategy::Policy(decider),
        models: route.models.iter().filter_map(|id| config.model(id)).cloned().collect(),
        limits: route.limits,
        baseline: baseline(config, route),
        trial,
        promotion: promoted
            .and_then(|promoted| promotion(promoted, before?).or_else(|| before?.promotion.clone())),
    })
}

/// The model that would answer without routing.
fn baseline(config: &Config, route: &config::Route) -> Option<Arc<Model>> {
    let stated = route.baseline.as_ref().and_then(|id| config.model(id));
    stated.or_else(|| Baseline::usual(route.models.iter().filter_map(|id| config.model(id)))).cloned()
}

/// A policy that takes over from the one that decided before, if it does so now.
fn promotion(promoted: &Promoted, before: &Route) -> Option<Arc<Promotion>> {
    let Strategy::Policy(decider) = &before.strategy else { return None };
    if decider.policy == promoted.policy {
        return None;
    }
    let old = match &before.trial {
        Some(trial) => Arc::clone(&trial.score().active),
        None => Arc::clone(decider.slot.as_ref()?.active().stats()),
    };
    Some(Arc::new(Promotion { new: Arc::new(old.new_sibling()), old, at: promoted.at }))
}

/// A policy with all that may take its place.
fn decider(
    config: &Config,
    slots: &Slots,
    policy: &PolicyName,
    on_failure: &config::OnFailure,
) -> Option<Decider> {
    let on_failure = match on_failure {
        config::OnFailure::Fallback => OnFailure::StaticOrder,
        config::OnFailure::Previous => OnFailure::Previous,
        config::OnFailure::Reject => OnFailure::Reject,
        config::OnFailure::FallbackTo(other) => {
            let next = &config.policy(other)?.on_failure;
            OnFailure::Ask(Box::new(decider(config, slots, other, next)?))
        }
    };
    Some(Decider { policy: policy.clone(), slot: slots.get(policy).cloned(), on_failure })
}
