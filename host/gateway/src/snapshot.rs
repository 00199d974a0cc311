//! Everything that a request is answered by: one configuration, connected and
//! loaded.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use pointsman_backends::{Backend, InvalidBackend, Prober};
use pointsman_domain::ids::{BackendName, PolicyName};
use pointsman_domain::model::Model;
use pointsman_policy::Slot;

use crate::client::keys::Keyring;
use crate::clock::unix_seconds;
use crate::config::{self, BackendKind, Config, RouteLimits};

/// Loaded policies by name.
pub(crate) type Slots = BTreeMap<PolicyName, Arc<Slot>>;

/// One configuration at work. Never changed: a reload makes another.
pub(crate) struct Snapshot {
    /// What it was built from.
    pub(crate) config: Config,
    /// Who may call.
    pub(crate) keys: Keyring,
    /// Routes, and models that are addressed directly, by what clients call them.
    pub(crate) served: HashMap<Arc<str>, Route>,
    /// Where calls go.
    pub(crate) backends: HashMap<BackendName, Backend>,
    /// Loaded policies, used or not.
    pub(crate) slots: Slots,
    /// Longest request body.
    pub(crate) max_body_bytes: usize,
    /// When it was built, in seconds since 1970.
    pub(crate) created: u64,
    /// Asks backends whether they are there, for as long as the snapshot lives.
    _probers: Vec<Prober>,
}

/// What a model name in a request leads to.
pub(crate) struct Route {
    /// The name.
    pub(crate) name: Arc<str>,
    /// How a model is chosen.
    pub(crate) strategy: Strategy,
    /// Among which.
    pub(crate) models: Vec<Arc<Model>>,
    /// How long and how often is tried.
    pub(crate) limits: RouteLimits,
}

/// How a route's model is chosen.
pub(crate) enum Strategy {
    /// A policy decides.
    Policy(Decider),
    /// There is one model, and the client named it.
    Direct,
}

/// A policy, and what happens when it fails.
pub(crate) struct Decider {
    /// The policy, whatever version is loaded.
    pub(crate) slot: Arc<Slot>,
    /// What happens when it fails.
    pub(crate) on_failure: OnFailure,
}

/// What happens when a policy fails.
pub(crate) enum OnFailure {
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
    /// Connects and wires what a configuration names. Backends that did not
    /// change since the previous snapshot keep their connections, and models
    /// their live stats.
    pub(crate) fn build(
        mut config: Config,
        slots: Slots,
        previous: Option<&Self>,
    ) -> Result<Self, InvalidBackend> {
        if let Some(previous) = previous {
            config.keep_live_stats(&previous.config);
        }
        let backends = backends(&config, previous)?;
        Ok(Self {
            keys: Keyring::new(&config.keys),
            served: served(&config, &slots),
            _probers: probers(&config, &backends),
            backends,
            max_body_bytes: config.server.max_body_bytes,
            created: unix_seconds(),
            slots,
            config,
        })
    }

    /// Routes, then models, in the order of the configuration.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = &Route> {
        let routes = self.config.routes.iter().map(|route| route.name.as_str());
        let models = self.config.models.iter().map(|model| model.id.as_str());
        routes.chain(models).filter_map(|name| self.served.get(name))
    }
}

fn backends(
    config: &Config,
    previous: Option<&Snapshot>,
) -> Result<HashMap<BackendName, Backend>, InvalidBackend> {
    let mut backends = HashMap::new();
    for backend in &config.backends {
        let same = previous.filter(|previous| {
            previous.config.backends.iter().any(|old| old.name == backend.name && old.kind == backend.kind)
        });
        let connected = match same.and_then(|previous| previous.backends.get(&backend.name)) {
            Some(connected) => connected.clone(),
            None => match backend.kind.clone() {
                BackendKind::Http(http) => Backend::http(http)?,
                BackendKind::Simulated(fleet) => Backend::simulated(fleet),
            },
        };
        backends.insert(backend.name.clone(), connected);
    }
    Ok(backends)
}

fn probers(config: &Config, backends: &HashMap<BackendName, Backend>) -> Vec<Prober> {
    let probed = config.backends.iter().filter_map(|backend| {
        let probe = backend.probe.clone()?;
        let models = config.models.iter().filter(|model| model.backend == backend.name).cloned().collect();
        Some(Prober::start(backend.name.clone(), backends.get(&backend.name)?.clone(), models, probe))
    });
    probed.collect()
}

fn served(config: &Config, slots: &Slots) -> HashMap<Arc<str>, Route> {
    let mut served = HashMap::new();
    for model in &config.models {
        let name: Arc<str> = model.id.as_str().into();
        let models = vec![Arc::clone(model)];
        let route = Route {
            name: Arc::clone(&name),
            strategy: Strategy::Direct,
            models,
            limits: RouteLimits::default(),
        };
        served.insert(name, route);
    }
    for route in &config.routes {
        let Some(decider) = decider(config, slots, &route.policy, &route.on_failure) else { continue };
        let name: Arc<str> = route.name.as_str().into();
        let models = route.models.iter().filter_map(|id| config.model(id)).cloned().collect();
        let strategy = Strategy::Policy(decider);
        served.insert(Arc::clone(&name), Route { name, strategy, models, limits: route.limits });
    }
    served
}

/// The policy of a route with all that may take its place. `None` only if the
/// policy was not loaded, in which case there is no snapshot.
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
    Some(Decider { slot: Arc::clone(slots.get(policy)?), on_failure })
}
