//! `pointsman.toml`: what the operator says, checked.
//!
//! A configuration is read in two stages. [`raw`] is the shape of the file; it
//! is where the JSON Schema comes from. Compiling turns it into a [`Config`],
//! in which every name is known to exist, every number is in its range and every
//! default is filled in, or else into an [`InvalidConfig`] that tells all that is
//! wrong at once. The environment and files with secrets are read here and
//! nowhere else in the gateway.

mod backends;
pub mod catalogue;
mod compile;
pub mod cross_origin;
mod decision_log;
mod document;
pub mod keys;
mod limits;
mod listeners;
mod memory;
mod models;
mod names;
mod node;
mod policies;
mod problem;
mod proxies;
mod raw;
mod rollout;
mod routes;
mod schema;
mod secrets;
mod sources;
mod state;
mod traces;
pub mod transient;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pointsman_domain::ids::{ModelId, PolicyName, RouteName};
use pointsman_domain::live::RetryBudget;
use pointsman_domain::model::Model;
use pointsman_telemetry::decision_log::DecisionLogSettings;

use crate::transient::is_transient;

pub use backends::Backend;
pub use cross_origin::Allowed;
pub use keys::Key;
pub use listeners::{Admin, Log, Server};
pub use memory::MemoryLimits;
pub use policies::{OnFailure, Policy};
pub use problem::{InvalidConfig, Place, Problem};
pub use raw::{LogFormat, LogLevel};
pub use rollout::{Mode, Rollback, Trial};
pub use routes::{Route, RouteLimits};
pub use schema::schema_json;
pub use sources::BUILTIN;
pub use sources::{BUILTIN_POLICIES, PolicySource};
pub use state::{Compile, State};
pub use traces::Traces;

/// What `pointsman serve` runs without a file: a simulated fleet.
pub const DEFAULT_TOML: &str = include_str!("default.toml");

/// A configuration in which everything fits together. Lists are in the order of
/// the file.
#[derive(Clone, Debug)]
pub struct Config {
    /// The client API.
    pub server: Server,
    /// The admin API.
    pub admin: Admin,
    /// The log.
    pub log: Log,
    /// Where spans go, if anywhere.
    pub traces: Option<Traces>,
    /// The decision log, if there is to be one.
    pub decision_log: Option<DecisionLogSettings>,
    /// What outlives the process.
    pub state: State,
    /// How policies are compiled.
    pub compile: Compile,
    /// When new versions of policies are undone.
    pub rollback: Rollback,
    /// Bounds on the memory that requests and answers hold.
    pub memory: MemoryLimits,
    /// Limit on the retries of one model in flight.
    pub retry_budget: RetryBudget,
    /// Servers that answer model calls.
    pub backends: Vec<Backend>,
    /// Models on them; at least one. Their live stats are new: see
    /// [`keep_live_stats`](Self::keep_live_stats).
    pub models: Vec<Arc<Model>>,
    /// The directory in which every file is a policy, if there is one.
    pub policy_dir: Option<PathBuf>,
    /// Policies, used or not: those of the file, then those of the directory.
    pub policies: Vec<Policy>,
    /// Routes.
    pub routes: Vec<Route>,
    /// Keys of clients; none means that everybody is served.
    pub keys: Vec<Key>,
    /// Other files that it was read from: keys, tokens, certificate authorities.
    pub files: Vec<PathBuf>,
    /// What looks wrong, though it does no harm.
    pub warnings: Vec<String>,
}

/// What the command line says over the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Overrides {
    /// `--listen`
    pub listen: Option<SocketAddr>,
    /// `--admin-listen`
    pub admin_listen: Option<SocketAddr>,
}

/// A text to be compiled, and the world it is read in.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// What messages call the file.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
    /// What paths in it are relative to.
    pub base_dir: &'a Path,
    /// Reads an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// What the command line says.
    pub overrides: Overrides,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not a configuration.
    #[error(transparent)]
    Invalid(#[from] InvalidConfig),
}

impl ConfigError {
    /// Returns whether the same files may be a configuration a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreadable { source, .. } => is_transient(source),
            Self::Invalid(invalid) => invalid.is_transient,
        }
    }

    /// Other files that were read for it, or could not be.
    pub fn files(&self) -> &[PathBuf] {
        match self {
            Self::Unreadable { .. } => &[],
            Self::Invalid(invalid) => &invalid.files,
        }
    }
}

impl Config {
    /// Reads and compiles a file.
    pub fn load(path: &Path, overrides: Overrides) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let base_dir = path.parent().unwrap_or(Path::new(""));
        let file = path.display().to_string();
        Ok(Self::parse(Input { file: &file, text: &text, base_dir, env: &environment, overrides })?)
    }

    /// The configuration for when there is no file.
    pub fn embedded(overrides: Overrides) -> Result<Self, ConfigError> {
        let input = Input {
            file: "the embedded default",
            text: DEFAULT_TOML,
            base_dir: Path::new(""),
            env: &environment,
            overrides,
        };
        Ok(Self::parse(input)?)
    }

    /// Compiles a text.
    pub fn parse(input: Input<'_>) -> Result<Self, InvalidConfig> {
        compile::compile(input)
    }

    /// Takes over what another configuration's gateway measured of the models
    /// that are the same: same id, same name at the same backend.
    pub fn keep_live_stats(&mut self, previous: &Self) {
        for model in &mut self.models {
            let is_same = |old: &&Arc<Model>| {
                old.id == model.id
                    && old.upstream_name == model.upstream_name
                    && self.backends.iter().find(|backend| backend.name == model.backend)
                        == previous.backends.iter().find(|backend| backend.name == old.backend)
            };
            if let Some(old) = previous.models.iter().find(is_same)
                && let Some(model) = Arc::get_mut(model)
            {
                model.live = Arc::clone(&old.live);
            }
        }
    }

    /// The model with this id.
    pub fn model(&self, id: &ModelId) -> Option<&Arc<Model>> {
        self.models.iter().find(|model| model.id == *id)
    }

    /// The policy with this name.
    pub fn policy(&self, name: &PolicyName) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.spec.name == *name)
    }

    /// The route with this name.
    pub fn route(&self, name: &RouteName) -> Option<&Route> {
        self.routes.iter().find(|route| route.name == *name)
    }
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("file", &self.file).finish_non_exhaustive()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests;
