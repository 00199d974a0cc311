//! Brings in what changed on disk, while requests flow.
//!
//! The configuration and the policies' files are read whole, everything is built
//! beside what serves, and only then put in its place. What fails changes
//! nothing: a bad configuration leaves the old one, a bad policy file leaves the
//! old version of that policy. A configuration counts as bad when it brings a
//! policy that does not load, since half a configuration is none.

mod policies;
mod report;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pointsman_policy::Runtime;

use crate::app::App;
use crate::config::{Config, ConfigError, Overrides, PolicySource};
use crate::snapshot::{Slots, Snapshot};
use policies::Loading;
pub(crate) use policies::Unloadable;
pub(crate) use report::{Report, Verdict};

/// Where the configuration comes from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The file; `None` is the embedded default.
    pub(crate) file: Option<PathBuf>,
    /// What the command line says over it.
    pub(crate) overrides: Overrides,
}

/// Why the gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// There is no configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A policy does not load.
    #[error("{}", policies::list(.0))]
    Policies(Vec<Unloadable>),
    /// A backend cannot be set up.
    #[error(transparent)]
    Backend(#[from] pointsman_backends::InvalidBackend),
}

/// Reloads the running gateway, one reload at a time.
pub(crate) struct Reloader {
    source: Source,
    runtime: Runtime,
    app: Arc<App>,
    /// Held by the reload under way.
    turn: tokio::sync::Mutex<()>,
    last: Mutex<Option<Report>>,
}

impl Source {
    /// Reads and compiles the configuration.
    pub(crate) fn read(&self) -> Result<Config, ConfigError> {
        match &self.file {
            Some(file) => Config::load(file, self.overrides),
            None => Config::embedded(self.overrides),
        }
    }

    /// The files whose changes call for a reload.
    pub(crate) fn watched(&self, config: &Config) -> Vec<PathBuf> {
        let policies = config.policies.iter().filter_map(|policy| match &policy.source {
            PolicySource::File(path) => Some(path.clone()),
            PolicySource::Builtin(_) => None,
        });
        self.file.iter().cloned().chain(policies).collect()
    }
}

/// The first snapshot. Whatever fails here keeps the gateway from starting.
pub(crate) async fn start(config: Config, runtime: &Runtime) -> Result<Snapshot, StartError> {
    let loading = Loading::all(&config, &Slots::new(), runtime).await;
    if !loading.unloadable.is_empty() {
        return Err(StartError::Policies(loading.unloadable));
    }
    let snapshot = Snapshot::build(config, loading.slots(), None)?;
    loading.commit();
    Ok(snapshot)
}

impl Reloader {
    pub(crate) fn new(source: Source, runtime: Runtime, app: Arc<App>) -> Self {
        Self { source, runtime, app, turn: tokio::sync::Mutex::default(), last: Mutex::default() }
    }

    /// The files whose changes call for a reload, as things stand.
    pub(crate) fn watched(&self) -> Vec<PathBuf> {
        self.source.watched(&self.app.snapshot().config)
    }

    /// The last reload, if there was one.
    pub(crate) fn last(&self) -> Option<Report> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads everything anew and puts in its place what is good.
    pub(crate) async fn reload(&self, cause: &'static str) -> Report {
        let _turn = self.turn.lock().await;
        let report = match self.reload_config().await {
            Ok(loading) => Report::new(cause, Verdict::Applied, &loading),
            Err(error) => {
                let loading = self.reload_policies().await;
                Report::new(cause, Verdict::Rejected(error.to_string()), &loading)
            }
        };
        report.log();
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(report.clone());
        report
    }

    async fn reload_config(&self) -> Result<policies::Committed, StartError> {
        let config = self.source.read()?;
        let current = self.app.snapshot();
        warn_of_restart(&current.config, &config);
        let loading = Loading::all(&config, &current.slots, &self.runtime).await;
        if !loading.unloadable.is_empty() {
            return Err(StartError::Policies(loading.unloadable));
        }
        let snapshot = Snapshot::build(config, loading.slots(), Some(&current))?;
        let committed = loading.commit();
        self.app.swap(snapshot);
        Ok(committed)
    }

    /// With the configuration as it is, since the new one is no good.
    async fn reload_policies(&self) -> policies::Committed {
        let current = self.app.snapshot();
        Loading::all(&current.config, &current.slots, &self.runtime).await.commit()
    }
}

/// Listeners are bound once, and the log, the state and the compiler are set up once.
fn warn_of_restart(old: &Config, new: &Config) {
    for (what, changed) in [
        ("[server]", old.server != new.server),
        ("[admin]", old.admin != new.admin),
        ("[log]", old.log != new.log),
        ("[state]", old.state != new.state),
        ("[compile]", old.compile != new.compile),
    ] {
        if changed {
            tracing::warn!("{what} changed in the configuration: this takes effect at the next start");
        }
    }
}
