//! Snapshots: a configuration with its connected backends and loaded policies.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use pointsman_backends::{Backend, InvalidBackend, Prober};
use pointsman_config::{self as config, Config, ConfigText, EntryProblem, InvalidConfig, Mode, RouteLimits};
use pointsman_domain::history::Baseline;
use pointsman_domain::ids::{BackendName, PolicyName};
use pointsman_domain::model::Model;
use pointsman_policy::PolicySlot;

use crate::auth::Keyring;
use crate::rollout::state::PromotedPolicy;
use crate::rollout::{Promotion, RolloutState, Trial};

mod requested_names;

pub use requested_names::RequestableName;
use requested_names::RouteAliases;

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
    /// Error of the last attempt.
    pub error: String,
    /// Time of the last attempt, in seconds since 1970.
    pub at: u64,
}

/// Connected backends by name.
pub type Backends = HashMap<BackendName, Backend>;

/// A configuration in force. It is immutable; a reload builds another.
pub struct Snapshot {
    /// The configuration that it was built from.
    pub config: Config,
    /// Keys of the clients in the configuration.
    pub keys: Keyring,
    /// Routes, and models that clients address directly, by name.
    pub served: HashMap<Arc<str>, Route>,
    /// Further names of routes.
    aliases: RouteAliases,
    /// Connected backends.
    pub backends: Backends,
    /// Loaded policies, used or not.
    pub slots: Slots,
    /// Policies that could not be loaded yet.
    pub unavailable: UnavailablePolicies,
    /// Longest request body.
    pub max_body_bytes: usize,
    /// Time of the build, in seconds since 1970.
    pub created: u64,
    /// Health probes of backends, which stop when the snapshot is dropped.
    _probers: Vec<Prober>,
}

/// Target of a model name in a request: a route, or a single model.
pub struct Route {
    /// The name.
    pub name: Arc<str>,
    /// Selection of a model.
    pub strategy: Strategy,
    /// Models to select from.
    pub models: Vec<Arc<Model>>,
    /// Limits on time and attempts.
    pub limits: RouteLimits,
    /// Model that would answer without routing, with whose cost requests are compared.
    pub baseline: Option<Arc<Model>>,
    /// The policy on trial.
    pub trial: Option<Trial>,
    /// The promotion of its policy, if there was one.
    pub promotion: Option<Arc<Promotion>>,
}

/// Selection of a route's model.
pub enum Strategy {
    /// A policy decides.
    Policy(Decider),
    /// There is one model, and the client named it.
    Direct,
}

/// A policy with its fallback.
pub struct Decider {
    /// The policy's name.
    pub policy: PolicyName,
    /// The policy, with whichever version is loaded; `None` while none is.
    pub slot: Option<Arc<PolicySlot>>,
    /// Fallback when the policy fails.
    pub on_failure: OnFailure,
}

/// Fallback when a policy fails.
pub enum OnFailure {
    /// The models are tried in the route's order.
    StaticOrder,
    /// The previous version decides.
    Previous,
    /// The request is rejected.
    Reject,
    /// Another policy decides. The configuration has no cycles.
    Ask(Box<Decider>),
}

impl Snapshot {
    /// Builds a snapshot from a configuration and the rollout state, with the prices of a time in
    /// seconds since 1970. Models that did not change since the previous snapshot keep their live
    /// statistics, also if their prices did.
    pub fn build(
        mut config: Config,
        backends: Backends,
        policies: LoadedPolicies,
        state: &RolloutState,
        previous: Option<&Self>,
        now: u64,
    ) -> Self {
        let LoadedPolicies { slots, unavailable } = policies;
        if let Some(previous) = previous {
            config.keep_live_stats(&previous.config);
        }
        config.apply_prices(now);
        Self {
            keys: Keyring::new(&config.keys, config.server.require_key),
            served: served(&config, &slots, state, previous, now),
            aliases: RouteAliases::new(&config.routes),
            _probers: probers(&config, &backends),
            backends,
            max_body_bytes: config.server.max_body_bytes,
            created: now,
            slots,
            unavailable,
            config,
        }
    }

    /// Returns the loaded and the unavailable policies.
    pub fn policies(&self) -> LoadedPolicies {
        LoadedPolicies { slots: self.slots.clone(), unavailable: self.unavailable.clone() }
    }

    /// Returns the policy that decides at a route: the promoted one, if it is loaded.
    pub fn policy_of<'a>(&'a self, route: &'a config::Route) -> &'a PolicyName {
        match self.served.get(route.name.as_str()).map(|served| &served.strategy) {
            Some(Strategy::Policy(decider)) => &decider.policy,
            _ => &route.policy,
        }
    }
}

/// A backend that cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("backend `{name}`: {reason}")]
pub struct UnusableBackend {
    name: BackendName,
    reason: InvalidBackend,
}

impl UnusableBackend {
    /// Adds the place of the setting in the configuration that is at fault.
    pub fn located_in(&self, text: &ConfigText) -> InvalidConfig {
        let problem = EntryProblem {
            entry: vec!["backends".to_owned(), self.name.to_string()],
            keys: keys_at_fault(&self.reason),
            instead: None,
            message: self.to_string(),
            hint: None,
        };
        // A text has the problem that is located in it.
        text.locate(&[problem]).unwrap_or_default()
    }
}

/// Returns the keys of a backend of which the first that is there is at fault.
fn keys_at_fault(reason: &InvalidBackend) -> &'static [&'static str] {
    match reason {
        InvalidBackend::Url { .. } | InvalidBackend::Credentials => &["base_url"],
        InvalidBackend::ApiKey => &["api_key_env", "api_key_file"],
        InvalidBackend::Proxy | InvalidBackend::ProxyCredentials => &["proxy"],
        InvalidBackend::ClientCertificate(_) => &["client_cert_file"],
        InvalidBackend::ClientKey(_) | InvalidBackend::KeyMismatch => &["client_key_file"],
        InvalidBackend::Authorities(_) => &["ca_file"],
        InvalidBackend::Client(_) => &[],
    }
}

/// Connects the backends of a configuration. Backends that did not change since the previous
/// snapshot keep their connections; a new key in the same file is no such change, and is in use from
/// now on.
pub fn connect(config: &Config, previous: Option<&Snapshot>) -> Result<Backends, UnusableBackend> {
    let mut backends = HashMap::new();
    for backend in &config.backends {
        let kept = previous.and_then(|previous| {
            let old = previous.config.backends.iter().find(|old| {
                old.name == backend.name
                    && old.transport == backend.transport
                    && old.dialect == backend.dialect
            })?;
            let connected = previous.backends.get(&backend.name)?;
            connected.adopt_key(&old.transport, &backend.transport);
            Some(connected.clone())
        });
        let connected = match kept {
            Some(connected) => connected,
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
    state: &RolloutState,
    previous: Option<&Snapshot>,
    now: u64,
) -> HashMap<Arc<str>, Route> {
    let models = config.models.iter().map(|model| direct(model, config));
    let routes = config.routes.iter().filter_map(|route| {
        let before = previous.and_then(|previous| previous.served.get(route.name.as_str()));
        routed(config, slots, state, (route, before), now)
    });
    models.chain(routes).map(|route| (Arc::clone(&route.name), route)).collect()
}

/// Builds the route of a model that clients address directly.
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

/// Builds a configured route with its rollout state. Trials and promotions of policies that are not
/// loaded wait until they are. `None` only if the configuration lacks a
/// policy that it names, in which case there is no snapshot.
fn routed(
    config: &Config,
    slots: &Slots,
    state: &RolloutState,
    (route, before): (&config::Route, Option<&Route>),
    now: u64,
) -> Option<Route> {
    let promoted = state.promoted(route, config).filter(|promoted| slots.contains_key(&promoted.policy));
    let policy = promoted.map_or(&route.policy, |promoted| &promoted.policy);
    let decider = decider(config, slots, policy, &route.on_failure)?;
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

/// Returns the model that would answer without routing.
fn baseline(config: &Config, route: &config::Route) -> Option<Arc<Model>> {
    let stated = route.baseline.as_ref().and_then(|id| config.model(id));
    stated.or_else(|| Baseline::usual(route.models.iter().filter_map(|id| config.model(id)))).cloned()
}

/// Starts the statistics of a promotion, if the policy takes over in this snapshot.
fn promotion(promoted: &PromotedPolicy, before: &Route) -> Option<Arc<Promotion>> {
    let Strategy::Policy(decider) = &before.strategy else { return None };
    if decider.policy == promoted.policy {
        return None;
    }
    let old = match &before.trial {
        Some(trial) => Arc::clone(&trial.stats().active),
        None => Arc::clone(decider.slot.as_ref()?.active().stats()),
    };
    Some(Arc::new(Promotion { new: Arc::new(old.new_sibling()), old, at: promoted.at }))
}

/// Builds a policy with its chain of fallbacks.
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
