//! Brings in what changed on disk, while requests flow.
//!
//! The configuration and the policies' files are read whole, everything is built
//! beside what serves, and only then put in its place. What fails changes
//! nothing: a bad configuration leaves the old one, a bad policy file leaves the
//! old version of that policy. A configuration counts as bad when it brings a
//! policy that does not load, since half a configuration is none.

mod automatic_rollback;
mod policies;
mod report;
mod retry;
pub mod rollback_watch;
mod route_operations;
mod settled;
mod triggers;
mod versions;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pointsman_domain::ids::RouteName;
use pointsman_policy::Runtime;
use pointsman_supply::FetchSpec;
use pointsman_supply::watch::WriteActivity;
use pointsman_telemetry::metrics::ReloadMetrics;

use crate::app::App;
use crate::clock::unix_seconds;
use crate::rollout::state::Promoted;
use crate::rollout::{Actor, Event, KeepError, Rollouts, State};
use crate::snapshot::{LoadedPolicies, Slots, Snapshot, UnusableBackend, connect};
use pointsman_config::{Config, ConfigError, Overrides};
use policies::{Change, Committed, Loader, Loading, What};
pub use policies::{PolicySources, Unloadable};
pub use report::{Report, Verdict};
use retry::Retry;
pub use route_operations::{ChangeAttribution, OperationError};
pub use triggers::{ReloadTask, Triggers};

/// Where the configuration comes from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file; `None` is the embedded default.
    pub file: Option<PathBuf>,
    /// What the command line says over it.
    pub overrides: Overrides,
}

/// Why the gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A policy does not load.
    #[error("{}", policies::list(.0))]
    Policies(Vec<Unloadable>),
    /// A backend cannot be set up.
    #[error("error: {0}")]
    Backend(#[from] UnusableBackend),
    /// What outlives the process cannot be read.
    #[error("error: {0}")]
    Kept(#[from] KeepError),
    /// A file is not complete.
    #[error("error: {} is still being written: its writer has not closed it, or it changes all the time", .0.display())]
    BeingWritten(PathBuf),
}

impl StartError {
    /// Returns whether the same files may do a little later.
    fn is_transient(&self) -> bool {
        match self {
            Self::Config(error) => error.is_transient(),
            Self::Policies(unloadable) => unloadable.iter().any(Unloadable::is_transient),
            Self::BeingWritten(_) => true,
            Self::Backend(_) | Self::Kept(_) => false,
        }
    }
}

/// Reloads the running gateway, one reload at a time.
pub struct Reloader {
    source: Source,
    runtime: Runtime,
    sources: PolicySources,
    app: Arc<App>,
    /// What was decided about policies since they were configured.
    pub rollouts: Rollouts,
    /// Held by whoever loads policies, for as long as that takes.
    turn: tokio::sync::Mutex<()>,
    /// Held for a moment by whoever changes what serves: so nobody who undoes
    /// something waits for a compiler.
    change: Mutex<()>,
    /// Files that the last reading of the configuration read, accepted or not.
    files: Mutex<Vec<PathBuf>>,
    /// The writers of files that are watched.
    activity: WriteActivity,
    /// The next attempt after a failure that passes.
    retry: Retry,
    last: Mutex<Option<Report>>,
    counts: Mutex<ReloadMetrics>,
}

impl Source {
    /// Reads and compiles the configuration.
    pub fn read(&self) -> Result<Config, ConfigError> {
        match &self.file {
            Some(file) => Config::load(file, self.overrides),
            None => Config::embedded(self.overrides),
        }
    }

    /// The files whose changes call for a reload.
    pub fn watched(&self, config: &Config) -> Vec<PathBuf> {
        let policies = config.policies.iter().flat_map(|policy| policy.source.watched());
        // Whatever is in the directory, taken or not: what was read half is whole later.
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

/// What to do at the start about policies whose source on the network cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreachableSources {
    /// Report them as errors.
    Refuse,
    /// Serve without them until they can be loaded.
    Tolerate,
}

/// The first snapshot. What fails here keeps the gateway from starting.
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
    let loader = Loader { runtime, sources, state: &state, kept: &rollouts.kept, patience };
    let mut loading = Loading::all(&config, &Slots::new(), loader).await;
    if unreachable == UnreachableSources::Tolerate {
        loading.tolerate(Unloadable::is_unreachable);
    }
    if !loading.unloadable.is_empty() {
        return Err(StartError::Policies(loading.unloadable));
    }
    let backends = connect(&config, None)?;
    let policies = loading.policies();
    for (name, policy) in &policies.unavailable {
        report::log_unavailable(name.as_str(), &policy.error);
    }
    let committed = loading.commit(&state, &rollouts.kept);
    let events = events(&committed, &state, overruled);
    let snapshot = Snapshot::build(config, backends, policies, &state, None);
    remember(rollouts, state, &snapshot.slots, events);
    Ok(snapshot)
}

impl Reloader {
    /// A reloader with the sources of the policies that serve.
    pub fn new(
        source: Source,
        runtime: Runtime,
        sources: PolicySources,
        app: Arc<App>,
        rollouts: Rollouts,
        activity: WriteActivity,
    ) -> Self {
        let (turn, change, last, files) = Default::default();
        let retry = Retry::default();
        let last_is_clean = app.snapshot().unavailable.is_empty();
        retry.plan(!last_is_clean);
        let started =
            ReloadMetrics { last_applied: unix_seconds(), last_is_clean, ..ReloadMetrics::default() };
        let counts = Mutex::new(started);
        Self { source, runtime, sources, app, rollouts, turn, change, files, activity, retry, last, counts }
    }

    /// The files whose changes call for a reload, as things stand. A file that a rejected
    /// configuration lacks is among them.
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

    /// How long after a reload the next one is due, if something is polled.
    pub fn poll(&self) -> Option<Duration> {
        self.app.snapshot().config.policies.iter().filter_map(|policy| policy.poll).min()
    }

    /// The last reload, if there was one.
    pub fn last(&self) -> Option<Report> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns counts of reloads.
    pub fn counts(&self) -> ReloadMetrics {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What policies run in.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Reads everything anew and puts in its place what is good.
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
        self.retry.plan(is_incomplete);
        let current = self.app.snapshot();
        let specs = current.config.policies.iter().filter_map(|policy| policy.source.fetch_spec());
        self.sources.fetcher.retain(&specs.cloned().collect::<Vec<FetchSpec>>());
        report.log();
        report.count(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(report.clone());
        report
    }

    async fn reload_config(&self) -> Result<Committed, StartError> {
        let config = self.read_settled().await?;
        let current = self.app.snapshot();
        warn_of_restart(&current.config, &config);
        warn(&config);
        let state = self.rollouts.state();
        let mut loading = Loading::all(&config, &current.slots, self.loader(&state)).await;
        loading.tolerate(|policy| is_still_unavailable(&current, policy));
        if !loading.unloadable.is_empty() {
            return Err(StartError::Policies(loading.unloadable));
        }
        let backends = connect(&config, Some(&current))?;
        let policies = loading.policies();

        let _changing = self.changing();
        let (current, mut state) = (self.app.snapshot(), self.rollouts.state());
        let overruled = state.forget_overruled(&config);
        let committed = loading.commit(&state, &self.rollouts.kept);
        let events = events(&committed, &state, overruled);
        let snapshot = Snapshot::build(config, backends, policies, &state, Some(&current));
        remember(&self.rollouts, state, &snapshot.slots, events);
        self.app.swap(snapshot);
        Ok(committed)
    }

    /// With the configuration as it is, since the new one is no good.
    async fn reload_policies(&self) -> Committed {
        let current = self.app.snapshot();
        let state = self.rollouts.state();
        let mut loading = Loading::all(&current.config, &current.slots, self.loader(&state)).await;
        loading.tolerate(|policy| is_still_unavailable(&current, policy));
        // Those that fail keep their slots, and those that were missing get theirs.
        let LoadedPolicies { slots, unavailable } = loading.policies();
        let slots = current.slots.clone().into_iter().chain(slots).collect::<Slots>();
        let policies = LoadedPolicies { slots: slots.clone(), unavailable };

        let _changing = self.changing();
        let state = self.rollouts.state();
        let committed = loading.commit(&state, &self.rollouts.kept);
        let events = events(&committed, &state, Vec::new());
        // Holds may have ended, and with them the suspension of a canary.
        match route_operations::rebuilt_with(policies, &self.app.snapshot(), &state) {
            Ok(snapshot) => self.app.swap(snapshot),
            Err(error) => tracing::error!("what was decided about policies does not take effect: {error}"),
        }
        remember(&self.rollouts, state, &slots, events);
        committed
    }

    /// Waits for a change that is under way, so that it is remembered before the end.
    pub fn settle(&self) {
        let _changing = self.changing();
        self.rollouts.store_unsaved();
    }

    /// Stores decisions that could not be stored when they were made.
    pub fn store_unsaved(&self) {
        if self.rollouts.is_unsaved() {
            let _changing = self.changing();
            self.rollouts.store_unsaved();
        }
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.change.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn loader<'a>(&'a self, state: &'a State) -> Loader<'a> {
        let (runtime, sources, kept) = (&self.runtime, &self.sources, &self.rollouts.kept);
        Loader { runtime, sources, state, kept, patience: None }
    }
}

/// Returns whether a policy that does not load was missing before, in which case it does not
/// make the configuration bad. With another source it would be a policy that the configuration
/// brings.
fn is_still_unavailable(current: &Snapshot, policy: &Unloadable) -> bool {
    let configured = current.config.policy(policy.name());
    current.unavailable.contains_key(policy.name())
        && configured.is_some_and(|configured| configured.source == *policy.source())
}

/// Remembers which versions serve, and what changed.
fn remember(rollouts: &Rollouts, mut state: State, slots: &Slots, events: Vec<Event>) {
    for (name, slot) in slots {
        let policy = state.policy_mut(name);
        policy.active = Some(slot.active().digest());
        policy.previous = slot.previous().map(|previous| previous.digest());
    }
    rollouts.put_in_force(state);
    events.into_iter().for_each(|event| rollouts.audit.note(event));
}

/// What a change of the configuration or of a source comes to.
fn events(committed: &Committed, before: &State, overruled: Vec<(RouteName, Promoted)>) -> Vec<Event> {
    let over = overruled.into_iter().map(|(route, promoted)| {
        let why = "the configuration names another policy";
        Event::new(Actor::Configuration, "demote").route(&route).policy(&promoted.policy).why(why)
    });
    let changes = committed.0.iter().filter_map(|Change { name, what, .. }| {
        let served = before.policy(name).and_then(|policy| policy.active);
        let (from, to) = match *what {
            What::Kept | What::Nothing => return None,
            What::Loaded { to } => (served, to),
            What::Swapped { from, to } => (Some(from), to),
        };
        let event = |action| Event::new(Actor::Configuration, action).policy(name).to(to);
        match from {
            Some(from) if from == to => None,
            Some(from) => Some(event("swap").from(from)),
            None => Some(event("load")),
        }
    });
    over.chain(changes).collect()
}

/// Listeners are bound once, and the logs, the state and the compiler are set up once.
fn warn_of_restart(old: &Config, new: &Config) {
    for (what, changed) in [
        ("[server]", old.server != new.server),
        ("[admin] listen", old.admin.listen != new.admin.listen),
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
