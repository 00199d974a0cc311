//! Loading of new and changed policies next to those that serve.

mod load_failure;
mod loader;

use std::sync::Arc;

use futures_util::future::join_all;
use pointsman_config::Config;
use pointsman_domain::ids::{Digest, PolicyName};
use pointsman_domain::rollout::Hold;
use pointsman_policy::{Code, LoadError, Policy, PolicySlot};
use pointsman_supply::Fetcher;

use crate::clock::unix_seconds;
use crate::rollout::{RolloutState, StateStore};
use crate::snapshot::{LoadedPolicies, Slots, UnavailablePolicy};
pub use load_failure::UnloadablePolicy;
pub(super) use load_failure::{LoadFailure, list};
pub(super) use loader::Loader;

/// Sources of the bytes of policies.
#[derive(Debug)]
pub struct PolicySources {
    /// Fetches policies of files, web servers and registries.
    pub fetcher: Fetcher,
    /// Returns the code of a policy that is embedded in the binary, by its name.
    pub builtin: fn(&str) -> Option<Code>,
}

/// Most policies loaded concurrently; each occupies a thread.
const AT_A_TIME: usize = 16;

/// Loaded policies of a configuration. Nothing that serves changes before
/// [`PolicyLoad::commit`].
pub(super) struct PolicyLoad {
    loaded: Vec<PendingPolicy>,
    /// Policies without a version that fits the configuration.
    pub(super) unloadable: Vec<UnloadablePolicy>,
    /// Policies that may be missing for now; their routes follow `on_failure`.
    unavailable: Vec<UnloadablePolicy>,
}

/// A policy with the action that its commit takes.
struct PendingPolicy {
    slot: Arc<PolicySlot>,
    action: SlotAction,
    /// A version that was rejected in favour of the one in the slot.
    rejected: Option<RejectedUpdate>,
}

/// Action on the slot of a policy at the commit.
enum SlotAction {
    /// Keeps the version that serves.
    Keep,
    /// Keeps the version that serves, and stores its code, which is missing in the state store.
    Store { code: Code },
    /// Adds the slot, which is new.
    First { code: Code },
    /// Replaces the version that serves.
    Swap { policy: Box<Policy>, code: Option<Code> },
}

/// A rejected version with the reason.
struct RejectedUpdate {
    digest: Option<Digest>,
    error: LoadFailure,
}

/// Changes of all policies by a reload.
pub(super) struct PolicyChanges(pub(super) Vec<PolicyChange>);

/// Change of one policy by a reload.
pub(super) struct PolicyChange {
    pub(super) name: PolicyName,
    pub(super) version: VersionChange,
    /// Reason for which a version was rejected, if one was.
    pub(super) rejected: Option<LoadFailure>,
    /// True if another attempt may succeed where this one failed.
    pub(super) is_incomplete: bool,
}

/// Change of the version that serves.
#[derive(Clone, Copy)]
pub(super) enum VersionChange {
    /// The version that served before.
    Unchanged,
    /// No version; none could be loaded yet.
    Unavailable,
    Loaded {
        to: Digest,
    },
    Swapped {
        from: Digest,
        to: Digest,
    },
}

impl PolicyChanges {
    /// Returns whether another attempt may succeed where this one failed.
    pub(super) fn is_incomplete(&self) -> bool {
        self.0.iter().any(|change| change.is_incomplete)
    }
}

impl PolicyLoad {
    /// Loads the policies of a configuration, off the request path.
    pub(super) async fn all(config: &Config, slots: &Slots, loader: Loader<'_>) -> Self {
        let mut loading = Self { loaded: Vec::new(), unloadable: Vec::new(), unavailable: Vec::new() };
        for policies in config.policies.chunks(AT_A_TIME) {
            let loads = policies.iter().map(async |policy| match slots.get(&policy.spec.name) {
                Some(slot) => loader.update(policy, slot).await,
                None => loader.load_first(policy).await,
            });
            for load in join_all(loads).await {
                match load {
                    Ok(loaded) => loading.loaded.push(loaded.located_in(config)),
                    Err(unloadable) => loading.unloadable.push(unloadable.located_in(&config.text)),
                }
            }
        }
        loading
    }

    /// Marks the unloadable policies that may be missing for now as unavailable.
    pub(super) fn tolerate(&mut self, may_be_missing: impl Fn(&UnloadablePolicy) -> bool) {
        self.unavailable.extend(self.unloadable.extract_if(.., |policy| may_be_missing(policy)));
    }

    /// Returns the policies, whose slots hold the new versions from the commit on.
    pub(super) fn policies(&self) -> LoadedPolicies {
        let slots = self.loaded.iter().map(|loaded| (loaded.slot.name().clone(), Arc::clone(&loaded.slot)));
        let unavailable = self.unavailable.iter().map(|UnloadablePolicy { name, error, .. }| {
            (name.clone(), UnavailablePolicy { error: error.message.clone(), at: unix_seconds() })
        });
        LoadedPolicies { slots: slots.collect(), unavailable: unavailable.collect() }
    }

    /// Puts the new versions in force and stores their code. A version that was put on hold while it
    /// was loaded is rejected.
    pub(super) fn commit(self, state: &RolloutState, state_store: &StateStore) -> PolicyChanges {
        let loaded = self.loaded.into_iter().map(|loaded| loaded.unless_held(state).commit(state_store));
        let unavailable =
            self.unavailable.into_iter().map(|UnloadablePolicy { name, error, .. }| PolicyChange {
                name,
                version: VersionChange::Unavailable,
                rejected: Some(error),
                is_incomplete: true,
            });
        PolicyChanges(loaded.chain(unavailable).collect())
    }
}

impl PendingPolicy {
    fn new(slot: &Arc<PolicySlot>, action: SlotAction) -> Self {
        Self { slot: Arc::clone(slot), action, rejected: None }
    }

    /// Adds the place in the configuration to the reason of a rejection.
    fn located_in(mut self, config: &Config) -> Self {
        let name = self.slot.name();
        if let (Some(rejected), Some(policy)) = (&mut self.rejected, config.policy(name)) {
            rejected.error.locate(name, &policy.source, &config.text);
        }
        self
    }

    /// Stores the code of the version that serves at the commit, if it is not stored yet.
    fn store_missing_code(self, code: Code, state_store: &StateStore) -> Self {
        match self.action {
            SlotAction::Keep if !state_store.contains_code(code.digest()) => {
                Self { action: SlotAction::Store { code }, ..self }
            }
            _ => self,
        }
    }

    fn unless_held(self, state: &RolloutState) -> Self {
        let SlotAction::Swap { policy, .. } = &self.action else { return self };
        let (name, digest) = (self.slot.name(), policy.digest());
        match state.held(name, digest, unix_seconds()) {
            Some(hold) if self.slot.active().digest() != digest => {
                let rejected =
                    RejectedUpdate { digest: Some(digest), error: hold_message(hold, name, digest).into() };
                Self { action: SlotAction::Keep, rejected: Some(rejected), slot: self.slot }
            }
            _ => self,
        }
    }

    fn commit(self, state_store: &StateStore) -> PolicyChange {
        let from = self.slot.active().digest();
        let (version, code) = match self.action {
            SlotAction::Keep => (VersionChange::Unchanged, None),
            SlotAction::Store { code } => (VersionChange::Unchanged, Some(code)),
            SlotAction::First { code } => (VersionChange::Loaded { to: from }, Some(code)),
            SlotAction::Swap { policy, code } => {
                let to = policy.digest();
                self.slot.swap(*policy);
                (VersionChange::Swapped { from, to }, code)
            }
        };
        let name = self.slot.name().clone();
        let mut is_incomplete = self.rejected.as_ref().is_some_and(|rejected| rejected.error.is_transient);
        if let Some(Err(error)) = code.map(|code| state_store.store_code(&code)) {
            tracing::error!(policy = %name, "the code of this version is not stored and cannot be rolled back to after a restart: {error}");
            is_incomplete = true;
        }
        let rejected = self.rejected.map(|RejectedUpdate { digest, error }| {
            self.slot.record_rejection(digest, error.message.clone());
            error
        });
        PolicyChange { name, version, rejected, is_incomplete }
    }
}

/// Renders the reason for which a version on hold is rejected.
fn hold_message(hold: &Hold, name: &PolicyName, version: Digest) -> String {
    let short = version.short();
    match hold.until {
        Some(until) => format!(
            "version {short} was rolled back ({}); it is tried again in {} s",
            hold.why,
            until.saturating_sub(unix_seconds())
        ),
        None => format!(
            "version {short} is in quarantine ({}); `pointsman policy release {name} {short}` lets it back in",
            hold.why
        ),
    }
}

/// Runs the load gate on a thread that may block.
pub(super) async fn off_the_request_path<T: Send + 'static>(
    load: impl FnOnce() -> Result<T, LoadError> + Send + 'static,
) -> Result<T, LoadFailure> {
    let load = move || load().map_err(LoadFailure::from);
    let panicked = |error| LoadFailure::from(format!("the load gate failed: {error}"));
    tokio::task::spawn_blocking(load).await.map_err(panicked)?
}
