//! Loader of single policies: reads, compiles and selects the version to serve.

use std::sync::Arc;
use std::time::Duration;

use pointsman_config::{self as config, PolicySource};
use pointsman_domain::ids::Digest;
use pointsman_domain::rollout::Hold;
use pointsman_policy::{Code, Policy, PolicySlot, Runtime};
use pointsman_supply::{Location, SupplyError};
use tokio::time::timeout;

use super::{
    LoadFailure, PendingPolicy, PolicySources, RejectedUpdate, SlotAction, UnloadablePolicy, hold_message,
    off_the_request_path,
};
use crate::clock::unix_seconds;
use crate::rollout::state::PolicyState;
use crate::rollout::{RolloutState, StateStore};

/// Loader of the policies of a configuration.
#[derive(Clone, Copy)]
pub(in crate::reload) struct Loader<'a> {
    pub(in crate::reload) runtime: &'a Runtime,
    pub(in crate::reload) sources: &'a PolicySources,
    /// Rollout state with overrides and holds of versions.
    pub(in crate::reload) state: &'a RolloutState,
    /// Storage of the code of earlier and uploaded versions.
    pub(in crate::reload) state_store: &'a StateStore,
    /// Longest wait for a source on the network, in addition to the source's own time limit.
    pub(in crate::reload) patience: Option<Duration>,
}

impl Loader<'_> {
    /// Loads a policy that serves already.
    pub(super) async fn update(
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
    pub(super) async fn load_first(
        &self,
        policy: &config::Policy,
    ) -> Result<PendingPolicy, UnloadablePolicy> {
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

    /// Reads the code of a source.
    pub(in crate::reload) async fn read(&self, source: &PolicySource) -> Result<Code, LoadFailure> {
        match source {
            PolicySource::Builtin(name) => (self.sources.builtin)(name)
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
