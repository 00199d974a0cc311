//! Reloads of the configuration and of policies while the gateway serves.
//!
//! A reload reads the configuration and the policies in full, builds a new snapshot next to the one
//! in force, and then swaps it in. A failure changes nothing: a rejected configuration leaves the
//! previous one in force, and a rejected policy file leaves the previous version of that policy. A
//! configuration is rejected as a whole if it adds a policy that does not load.

mod automatic_rollback;
mod key_operations;
mod policies;
pub mod price_watch;
mod report;
mod retry;
pub mod rollback_watch;
mod route_operations;
mod stable_read;
mod triggers;
mod versions;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pointsman_config::{Config, ConfigError, InvalidConfig, Overrides};
use pointsman_domain::ids::RouteName;
use pointsman_policy::Runtime;
use pointsman_supply::FetchSpec;
use pointsman_supply::watch::WriteActivity;
use pointsman_telemetry::metrics::ReloadMetrics;

use crate::app::App;
use crate::clock::unix_seconds;
use crate::rollout::state::PromotedPolicy;
use crate::rollout::{Actor, AuditEntry, RolloutState, Rollouts, StateStoreError};
use crate::snapshot::{Backends, LoadedPolicies, Slots, Snapshot};
pub use key_operations::{IssuedKey, KeyChange, KeyOperationError, NewKey};
use policies::{Loader, PolicyChange, PolicyChanges, PolicyLoad, VersionChange};
pub use policies::{PolicySources, UnloadablePolicy};
pub use report::{Report, Verdict};
use retry::Retry;
pub use route_operations::{ChangeAttribution, OperationError};
pub use triggers::{ReloadTask, Triggers};

/// Source of the configuration.
#[derive(Clone, Debug)]
pub struct ConfigSource {
    /// The file; `None` for the embedded default.
    pub file: Option<PathBuf>,
    /// Settings of the command line, which take precedence.
    pub overrides: Overrides,
}

/// Reason why the gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot be read or is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A policy does not load.
    #[error("{}", policies::list(.0))]
    Policies(Vec<UnloadablePolicy>),
    /// A backend cannot be set up.
    #[error(transparent)]
    Backend(InvalidConfig),
    /// A key of the configuration is stored too.
    #[error(transparent)]
    Keys(InvalidConfig),
    /// The state directory cannot be used.
    #[error("error: {0}")]
    StateStore(#[from] StateStoreError),
    /// A file is still being written.
    #[error("error: {} is still being written: its writer has not closed it, or it keeps changing", .0.display())]
    BeingWritten(PathBuf),
}

impl StartError {
    /// Returns whether another attempt with the same files may succeed.
    fn is_transient(&self) -> bool {
        match self {
            Self::Config(error) => error.is_transient(),
            Self::Policies(unloadable) => unloadable.iter().any(UnloadablePolicy::is_transient),
            Self::BeingWritten(_) => true,
            Self::Backend(_) | Self::Keys(_) | Self::StateStore(_) => false,
        }
    }
}

/// Reloader of the running gateway, and the entry point of operations on policies, routes and keys.
///
/// Lock order: `turn` before `change`. `turn` is held across compilation; `change` is held only
/// while state and snapshot are replaced, so a rollback never waits for a compiler.
pub struct Reloader {
    source: ConfigSource,
    runtime: Runtime,
    sources: PolicySources,
    app: Arc<App>,
    /// Rollout state and audit log.
    pub rollouts: Rollouts,
    /// Serialises operations that load policies.
    turn: tokio::sync::Mutex<()>,
    /// Serialises replacements of the rollout state, the snapshot and the versions in its slots.
    change: Mutex<()>,
    /// Files that were read for the configuration last, whether it was accepted or not.
    files: Mutex<Vec<PathBuf>>,
    /// Activity of the writers of watched files.
    activity: WriteActivity,
    /// The next attempt after a transient failure.
    retry: Retry,
    last: Mutex<Option<Report>>,
    counts: Mutex<ReloadMetrics>,
}

impl ConfigSource {
    /// Reads and compiles the configuration.
    pub fn read(&self) -> Result<Config, ConfigError> {
        match &self.file {
            Some(file) => Config::load(file, self.overrides),
            None => Config::embedded(self.overrides),
        }
    }

    /// Returns the files whose changes trigger a reload.
    pub fn watched(&self, config: &Config) -> Vec<PathBuf> {
        let policies = config.policies.iter().flat_map(|policy| policy.source.watched());
        // All entries of the directory, used or not: one that was read half-written is complete later.
        let entries = config.policy_dir.iter().filter_map(|directory| directory.read_dir().ok()).flatten();
        let entries = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let own = self.file.iter().chain(&config.policy_dir).chain(&config.files);
        let mut watched: Vec<_> = own.cloned().collect();
        watched.extend(policies.chain(entries));
        watched.sort();
        watched.dedup();
        watched
    }
}

/// Longest wait at the start for a policy's source on the network, while the others could serve.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// Treatment of policies whose source on the network cannot be reached at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreachableSources {
    /// Report them as errors.
    Refuse,
    /// Serve without them until they can be loaded.
    Tolerate,
}

/// Builds the first snapshot.
///
/// # Errors
/// Fails if the configuration cannot be served, which keeps the gateway from starting.
pub async fn start(
    config: Config,
    runtime: &Runtime,
    rollouts: &Rollouts,
    sources: &PolicySources,
    unreachable: UnreachableSources,
) -> Result<Snapshot, StartError> {
    warn(&config);
    let mut state = rollouts.state();
    let overruled = state.forget_overruled(&config);
    let patience = (unreachable == UnreachableSources::Tolerate).then_some(START_PATIENCE);
    let loader = Loader { runtime, sources, state: &state, state_store: &rollouts.state_store, patience };
    let mut loading = PolicyLoad::all(&config, &Slots::new(), loader).await;
    if unreachable == UnreachableSources::Tolerate {
        loading.tolerate(UnloadablePolicy::is_unreachable);
    }
    if !loading.unloadable.is_empty() {
        return Err(StartError::Policies(loading.unloadable));
    }
    let backends = connect(&config, None)?;
    let policies = loading.policies();
    for (name, policy) in &policies.unavailable {
        report::log_unavailable(name.as_str(), &policy.error);
    }
    let committed = loading.commit(&state, &rollouts.state_store);
    let entries = audit_entries(&committed, &state, overruled);
    let snapshot = Snapshot::build(config, backends, policies, &state, None, unix_seconds());
    record_versions(rollouts, state, &snapshot.slots, entries);
    Ok(snapshot)
}

impl Reloader {
    /// Creates a reloader of the policies that serve.
    pub fn new(
        source: ConfigSource,
        runtime: Runtime,
        sources: PolicySources,
        app: Arc<App>,
        rollouts: Rollouts,
        activity: WriteActivity,
    ) -> Self {
        let (turn, change, last, files) = Default::default();
        let retry = Retry::default();
        let last_is_clean = app.snapshot().unavailable.is_empty();
        retry.schedule(!last_is_clean);
        let started =
            ReloadMetrics { last_applied: unix_seconds(), last_is_clean, ..ReloadMetrics::default() };
        let counts = Mutex::new(started);
        Self { source, runtime, sources, app, rollouts, turn, change, files, activity, retry, last, counts }
    }

    /// Returns the files whose changes trigger a reload, including files that a rejected
    /// configuration refers to and that are missing.
    pub fn watched(&self) -> Vec<PathBuf> {
        let mut watched = self.source.watched(&self.app.snapshot().config);
        watched.extend(self.files().iter().cloned());
        watched.sort();
        watched.dedup();
        watched
    }

    fn files(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the shortest poll interval of the policies, if any is polled.
    pub fn poll(&self) -> Option<Duration> {
        self.app.snapshot().config.policies.iter().filter_map(|policy| policy.poll).min()
    }

    /// Returns the report of the last reload, if there was one.
    pub fn last(&self) -> Option<Report> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns counts of reloads.
    pub fn counts(&self) -> ReloadMetrics {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the runtime that executes policies.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Reloads the configuration and all policies, and puts in force what is valid.
    pub async fn reload(&self, cause: &'static str) -> Report {
        let _turn = self.turn.lock().await;
        self.reload_in_turn(cause).await
    }

    async fn reload_in_turn(&self, cause: &'static str) -> Report {
        let (report, is_incomplete) = match self.reload_config().await {
            Ok(committed) => (Report::new(cause, Verdict::Applied, &committed), committed.is_incomplete()),
            Err(error) => {
                let committed = self.reload_policies().await;
                let is_incomplete = error.is_transient() || committed.is_incomplete();
                (Report::new(cause, Verdict::Rejected(error.to_string()), &committed), is_incomplete)
            }
        };
        self.retry.schedule(is_incomplete);
        let current = self.app.snapshot();
        let specs = current.config.policies.iter().filter_map(|policy| policy.source.fetch_spec());
        self.sources.fetcher.retain(&specs.cloned().collect::<Vec<FetchSpec>>());
        report.log();
        report.count(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(report.clone());
        report
    }

    async fn reload_config(&self) -> Result<PolicyChanges, StartError> {
        let config = self.read_stable().await?;
        let current = self.app.snapshot();
        self.app.stored_keys.check_names(&config).map_err(StartError::Keys)?;
        warn_of_restart(&current.config, &config);
        warn(&config);
        let state = self.rollouts.state();
        let mut loading = PolicyLoad::all(&config, &current.slots, self.loader(&state)).await;
        loading.tolerate(|policy| is_still_unavailable(&current, policy));
        if !loading.unloadable.is_empty() {
            return Err(StartError::Policies(loading.unloadable));
        }
        let backends = connect(&config, Some(&current))?;
        let policies = loading.policies();

        let _guard = self.lock_changes();
        // A key may have been created while the policies were loaded.
        self.app.stored_keys.check_names(&config).map_err(StartError::Keys)?;
        let (current, mut state) = (self.app.snapshot(), self.rollouts.state());
        let overruled = state.forget_overruled(&config);
        let committed = loading.commit(&state, &self.rollouts.state_store);
        let entries = audit_entries(&committed, &state, overruled);
        let snapshot = Snapshot::build(config, backends, policies, &state, Some(&current), unix_seconds());
        record_versions(&self.rollouts, state, &snapshot.slots, entries);
        self.app.swap(snapshot);
        Ok(committed)
    }

    /// Reloads the policies of the configuration in force, after a new one was rejected.
    async fn reload_policies(&self) -> PolicyChanges {
        let current = self.app.snapshot();
        let state = self.rollouts.state();
        let mut loading = PolicyLoad::all(&current.config, &current.slots, self.loader(&state)).await;
        loading.tolerate(|policy| is_still_unavailable(&current, policy));
        // Policies that fail keep their slots, and policies that were unavailable get one.
        let LoadedPolicies { slots, unavailable } = loading.policies();
        let slots = current.slots.clone().into_iter().chain(slots).collect::<Slots>();
        let policies = LoadedPolicies { slots: slots.clone(), unavailable };

        let _guard = self.lock_changes();
        let state = self.rollouts.state();
        let committed = loading.commit(&state, &self.rollouts.state_store);
        let entries = audit_entries(&committed, &state, Vec::new());
        // Rebuilt even if no version changed: a hold may have ended, and with it the suspension of
        // a canary.
        match route_operations::rebuilt_with(policies, &self.app.snapshot(), &state) {
            Ok(snapshot) => self.app.swap(snapshot),
            Err(error) => tracing::error!("the rollout state does not take effect: {error}"),
        }
        record_versions(&self.rollouts, state, &slots, entries);
        committed
    }

    /// Waits for a change in progress and stores unsaved state, before the process exits.
    pub fn settle(&self) {
        let _guard = self.lock_changes();
        self.rollouts.store_unsaved();
    }

    /// Retries failed writes of the rollout state.
    pub fn store_unsaved(&self) {
        if self.rollouts.is_unsaved() {
            let _guard = self.lock_changes();
            self.rollouts.store_unsaved();
        }
    }

    fn lock_changes(&self) -> MutexGuard<'_, ()> {
        self.change.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn loader<'a>(&'a self, state: &'a RolloutState) -> Loader<'a> {
        let (runtime, sources, state_store) = (&self.runtime, &self.sources, &self.rollouts.state_store);
        Loader { runtime, sources, state, state_store, patience: None }
    }
}

/// Connects to the backends of a configuration.
fn connect(config: &Config, previous: Option<&Snapshot>) -> Result<Backends, StartError> {
    crate::snapshot::connect(config, previous)
        .map_err(|unusable| StartError::Backend(unusable.located_in(&config.text)))
}

/// Returns whether a policy that does not load was unavailable before. Such a policy does not
/// invalidate the configuration, unless its source has changed.
fn is_still_unavailable(current: &Snapshot, policy: &UnloadablePolicy) -> bool {
    let configured = current.config.policy(policy.name());
    current.unavailable.contains_key(policy.name())
        && configured.is_some_and(|configured| configured.source == *policy.source())
}

/// Records the versions that serve in the rollout state, and the changes in the audit log.
fn record_versions(rollouts: &Rollouts, mut state: RolloutState, slots: &Slots, entries: Vec<AuditEntry>) {
    for (name, slot) in slots {
        let policy = state.policy_mut(name);
        policy.active = Some(slot.active().digest());
        policy.previous = slot.previous().map(|previous| previous.digest());
    }
    rollouts.put_in_force(state);
    entries.into_iter().for_each(|entry| rollouts.audit.record(entry));
}

/// Returns the audit entries of a reload.
fn audit_entries(
    committed: &PolicyChanges,
    before: &RolloutState,
    overruled: Vec<(RouteName, PromotedPolicy)>,
) -> Vec<AuditEntry> {
    let over = overruled.into_iter().map(|(route, promoted)| {
        let why = "the configuration names another policy";
        AuditEntry::new(Actor::Configuration, "demote").route(&route).policy(&promoted.policy).why(why)
    });
    let changes = committed.0.iter().filter_map(|PolicyChange { name, version, .. }| {
        let served = before.policy(name).and_then(|policy| policy.active);
        let (from, to) = match *version {
            VersionChange::Unchanged | VersionChange::Unavailable => return None,
            VersionChange::Loaded { to } => (served, to),
            VersionChange::Swapped { from, to } => (Some(from), to),
        };
        let event = |action| AuditEntry::new(Actor::Configuration, action).policy(name).to(to);
        match from {
            Some(from) if from == to => None,
            Some(from) => Some(event("swap").from(from)),
            None => Some(event("load")),
        }
    });
    over.chain(changes).collect()
}

/// Logs changes that need a restart: listeners are bound once, and logs, state and compiler are set
/// up once.
fn warn_of_restart(old: &Config, new: &Config) {
    for (what, changed) in [
        ("[server]", old.server.needs_restart_for(&new.server)),
        ("[admin] listen or tls", old.admin.needs_restart_for(&new.admin)),
        ("[log]", old.log != new.log),
        ("[traces]", old.traces != new.traces),
        ("[decision_log]", old.decision_log != new.decision_log),
        ("[state]", old.state != new.state),
        ("[compile]", old.compile != new.compile),
    ] {
        if changed {
            tracing::warn!("{what} changed in the configuration: this takes effect at the next start");
        }
    }
}

fn warn(config: &Config) {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
}
