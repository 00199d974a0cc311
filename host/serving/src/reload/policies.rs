//! Loading of new and changed policies next to those that serve.

mod load_failure;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use pointsman_domain::ids::{Digest, PolicyName};
use pointsman_domain::rollout::Hold;
use pointsman_policy::{Code, LoadError, Policy, PolicySlot, Runtime};
use pointsman_supply::{Fetcher, Location, SupplyError};
use tokio::time::timeout;

use crate::clock::unix_seconds;
use crate::rollout::state::PolicyState;
use crate::rollout::{RolloutState, StateStore};
use crate::snapshot::{LoadedPolicies, Slots, UnavailablePolicy};
pub use load_failure::UnloadablePolicy;
pub(super) use load_failure::{LoadFailure, list};
use pointsman_config::{self as config, Config, PolicySource};

/// Sources of the bytes of policies.
#[derive(Debug)]
pub struct PolicySources {
    /// Fetches policies of files, web servers and registries.
    pub fetcher: Fetcher,
    /// Returns the bytes of a policy that is embedded in the binary, by its name.
    pub builtin: fn(&str) -> Option<&'static [u8]>,
}

/// Loader of the policies of a configuration.
#[derive(Clone, Copy)]
pub(super) struct Loader<'a> {
    pub(super) runtime: &'a Runtime,
    pub(super) sources: &'a PolicySources,
    /// Rollout state with overrides and holds of versions.
    pub(super) state: &'a RolloutState,
    /// Storage of the code of earlier and uploaded versions.
    pub(super) state_store: &'a StateStore,
    /// Longest wait for a source on the network, in addition to the source's own time limit.
    pub(super) patience: Option<Duration>,
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
    pub(super) rejected: Option<String>,
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
                    Ok(loaded) => loading.loaded.push(loaded),
                    Err(unloadable) => loading.unloadable.push(unloadable),
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
                rejected: Some(error.message),
                is_incomplete: true,
            });
        PolicyChanges(loaded.chain(unavailable).collect())
    }
}

impl PendingPolicy {
    fn new(slot: &Arc<PolicySlot>, action: SlotAction) -> Self {
        Self { slot: Arc::clone(slot), action, rejected: None }
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
            error.message
        });
        PolicyChange { name, version, rejected, is_incomplete }
    }
}

impl Loader<'_> {
    /// Loads a policy that serves already.
    async fn update(
        &self,
        policy: &config::Policy,
        slot: &Arc<PolicySlot>,
    ) -> Result<PendingPolicy, UnloadablePolicy> {
        let active = slot.active();
        let chosen = self.decided(policy).and_then(|decided| decided.chosen).map(|chosen| chosen.digest);
        if chosen.is_some_and(|chosen| chosen == active.digest()) {
            return self.keep_active(policy, slot, None).await;
        }
        let read = match chosen {
            Some(version) => self.stored_code(version),
            None => self.read(&policy.source).await,
        };
        let code = match read {
            Ok(code) => code,
            Err(error) if chosen.is_none() && self.is_of_source(policy, active.digest()) => {
                return self.keep_active(policy, slot, Some(RejectedUpdate { digest: None, error })).await;
            }
            Err(error) => return keep_after_failure(policy, slot, None, error),
        };
        let digest = code.digest();
        if digest == active.digest() {
            return Ok(self
                .keep_active(policy, slot, None)
                .await?
                .store_missing_code(code, self.state_store));
        }
        if let Some(hold) = self.held(policy, digest) {
            let error = hold_message(hold, &policy.spec.name, digest).into();
            let rejected = RejectedUpdate { digest: Some(digest), error };
            return self.keep_active(policy, slot, Some(rejected)).await;
        }
        match self.compile(policy, code).await {
            Ok((loaded, code)) => {
                Ok(PendingPolicy::new(slot, SlotAction::Swap { policy: Box::new(loaded), code: Some(code) }))
            }
            Err(error) => keep_after_failure(policy, slot, Some(digest), error),
        }
    }

    /// Keeps the version that serves, with the current configuration.
    async fn keep_active(
        &self,
        policy: &config::Policy,
        slot: &Arc<PolicySlot>,
        rejected: Option<RejectedUpdate>,
    ) -> Result<PendingPolicy, UnloadablePolicy> {
        let active = slot.active();
        if *active.spec() == policy.spec {
            return Ok(PendingPolicy { rejected, ..PendingPolicy::new(slot, SlotAction::Keep) });
        }
        let (runtime, spec) = (self.runtime.clone(), policy.spec.clone());
        match off_the_request_path(move || runtime.respecify(&active, spec)).await {
            Ok(loaded) => {
                let action = SlotAction::Swap { policy: Box::new(loaded), code: None };
                Ok(PendingPolicy { rejected, ..PendingPolicy::new(slot, action) })
            }
            Err(error) => Err(UnloadablePolicy::new(policy, error)),
        }
    }

    /// Loads a policy that does not serve yet: the version that overrides its source, or else the one
    /// at the source, or else the one that served last.
    async fn load_first(&self, policy: &config::Policy) -> Result<PendingPolicy, UnloadablePolicy> {
        let decided = self.decided(policy);
        if let Some(chosen) = decided.and_then(|decided| decided.chosen) {
            match self.load_stored(policy, chosen.digest).await {
                Ok(first) => return Ok(self.new_slot(policy, first, None).await),
                Err(error) => tracing::error!(
                    policy = %policy.spec.name,
                    version = %chosen.digest,
                    "cannot load the pinned or uploaded version, the policy's source is used instead: {}",
                    error.message
                ),
            }
        }
        let last = decided.and_then(|decided| decided.active);
        let (digest, error) = match self.read(&policy.source).await {
            Ok(code) => {
                let digest = code.digest();
                let hold = self.held(policy, digest);
                if hold.is_none() || !last.is_some_and(|last| self.state_store.contains_code(last)) {
                    match self.compile(policy, code).await {
                        Ok(first) => return Ok(self.new_slot(policy, first, None).await),
                        Err(error) => (Some(digest), error),
                    }
                } else {
                    let held = hold.map(|hold| hold_message(hold, &policy.spec.name, digest));
                    (Some(digest), held.unwrap_or_default().into())
                }
            }
            Err(error) => (None, error),
        };
        let Some(last) = last else { return Err(UnloadablePolicy::new(policy, error)) };
        match self.load_stored(policy, last).await {
            Ok(first) => Ok(self.new_slot(policy, first, Some(RejectedUpdate { digest, error })).await),
            Err(_) => Err(UnloadablePolicy::new(policy, error)),
        }
    }

    /// Creates the slot of a policy, with the version that served before as the previous one.
    async fn new_slot(
        &self,
        policy: &config::Policy,
        (loaded, code): (Policy, Code),
        rejected: Option<RejectedUpdate>,
    ) -> PendingPolicy {
        let digest = loaded.digest();
        let served = self.decided(policy).and_then(|decided| decided.active);
        let before = match served {
            Some(served) if served != digest => Some(served),
            _ => self.decided(policy).and_then(|decided| decided.previous).filter(|it| *it != digest),
        };
        let previous = match before {
            Some(version) => self.load_stored(policy, version).await.ok().map(|(previous, _)| previous),
            None => None,
        };
        let took_over = served.is_some_and(|served| served != digest);
        let slot = Arc::new(PolicySlot::new(loaded).with_previous(previous, took_over));
        PendingPolicy { slot, action: SlotAction::First { code }, rejected }
    }

    async fn read(&self, source: &PolicySource) -> Result<Code, LoadFailure> {
        match source {
            PolicySource::Builtin(name) => (self.sources.builtin)(name)
                .map(Code::embedded)
                .ok_or_else(|| format!("there is no built-in policy `{name}`").into()),
            PolicySource::Fetched(spec) => {
                let is_remote = !matches!(spec.source.location(), Location::File(_));
                let fetching = self.sources.fetcher.fetch(spec);
                let fetched = match self.patience.filter(|_| is_remote) {
                    Some(limit) => timeout(limit, fetching).await.unwrap_or_else(|_| {
                        Err(SupplyError::TimedOut { at: spec.source.to_string(), limit })
                    }),
                    None => fetching.await,
                };
                let fetched = fetched.map_err(|error| LoadFailure {
                    is_unreachable: is_remote && error.is_unreachable(),
                    ..LoadFailure::from(error)
                })?;
                Ok(Code::with_digest(fetched.bytes, fetched.digest))
            }
        }
    }

    async fn load_stored(
        &self,
        policy: &config::Policy,
        version: Digest,
    ) -> Result<(Policy, Code), LoadFailure> {
        self.compile(policy, self.stored_code(version)?).await
    }

    fn stored_code(&self, version: Digest) -> Result<Code, LoadFailure> {
        self.state_store
            .code(version)
            .ok_or_else(|| format!("the code of version {version} is not stored").into())
    }

    /// Returns whether a version is the last one fetched from the policy's remote source. New
    /// settings for it need not wait until the source is reachable again.
    fn is_of_source(&self, policy: &config::Policy, version: Digest) -> bool {
        let fetched = policy.source.fetch_spec().and_then(|spec| self.sources.fetcher.cached(spec));
        fetched.is_some_and(|fetched| fetched.digest == version)
    }

    fn decided(&self, policy: &config::Policy) -> Option<&PolicyState> {
        self.state.policy(&policy.spec.name)
    }

    fn held(&self, policy: &config::Policy, version: Digest) -> Option<&Hold> {
        self.state.held(&policy.spec.name, version, unix_seconds())
    }

    /// Compiles code. Returns the code, which is large, with the result.
    async fn compile(&self, policy: &config::Policy, code: Code) -> Result<(Policy, Code), LoadFailure> {
        let (spec, runtime) = (policy.spec.clone(), self.runtime.clone());
        off_the_request_path(move || Ok((runtime.load(spec, &code)?, code))).await
    }
}

/// Keeps the version that serves after a failure, unless the configuration has new settings for the
/// policy: then no version fits it.
fn keep_after_failure(
    policy: &config::Policy,
    slot: &Arc<PolicySlot>,
    digest: Option<Digest>,
    error: LoadFailure,
) -> Result<PendingPolicy, UnloadablePolicy> {
    if *slot.active().spec() == policy.spec {
        let rejected = Some(RejectedUpdate { digest, error });
        return Ok(PendingPolicy { rejected, ..PendingPolicy::new(slot, SlotAction::Keep) });
    }
    Err(UnloadablePolicy::new(policy, error))
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
