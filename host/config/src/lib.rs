//! Parsing and validation of `pointsman.toml`.
//!
//! A configuration is read in two stages. [`raw`] deserialises the file and defines its JSON
//! Schema. Compiling turns the result into a [`Config`], in which every name exists, every
//! number is in its range and every default is filled in, or else into an [`InvalidConfig`]
//! that lists all problems at once. The environment and files with secrets are read here and
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
mod native_apis;
mod node;
mod policies;
mod problem;
pub mod providers;
mod proxies;
mod raw;
mod rollout;
mod routes;
mod schema;
mod secrets;
mod sources;
mod state;
mod text;
mod tls;
mod traces;
pub mod transient;
mod undeclared;
mod uploads;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use pointsman_backends::TransportConfig;
use pointsman_domain::ids::{ModelId, PolicyName, RouteName};
use pointsman_domain::live::RetryBudget;
use pointsman_domain::model::Model;
use pointsman_domain::model_behaviour::ModelBehaviour;
use pointsman_domain::money::{Price, PriceSchedule};
use pointsman_telemetry::decision_log::DecisionLogSettings;

use crate::transient::is_transient;

pub use backends::{Backend, ModelListContent};
pub use cross_origin::Allowed;
pub use keys::Key;
pub use listeners::{Admin, AdminTokens, Log, Server};
pub use memory::MemoryLimits;
pub use models::FactsOrigin;
/// Behaviour of a simulated model.
/// Operations of models, which imports of other configurations name.
pub use pointsman_domain::model::Operation;
pub use policies::{OnFailure, Policy};
pub use problem::{InvalidConfig, Problem, TextPosition};
pub use proxies::source_proxies;
pub use raw::{LogFormat, LogLevel};
pub use rollout::{Mode, Rollback, Trial};
pub use routes::{Route, RouteLimits};
pub use schema::schema_json;
pub use sources::BUILTIN;
pub use sources::{BUILTIN_POLICIES, PolicySource};
pub use state::{Compile, State};
pub use text::{ConfigText, EntryProblem};
pub use traces::Traces;
pub use uploads::Uploads;

/// Configuration of `pointsman serve` without a file: simulated models.
pub const DEFAULT_TOML: &str = include_str!("default.toml");

/// A valid configuration. Lists are in the order of the file.
#[derive(Clone, Debug)]
pub struct Config {
    /// The client API.
    pub server: Server,
    /// The admin API.
    pub admin: Admin,
    /// The log.
    pub log: Log,
    /// Export of spans, if configured.
    pub traces: Option<Traces>,
    /// Decision log, if configured.
    pub decision_log: Option<DecisionLogSettings>,
    /// Persistent state.
    pub state: State,
    /// Limits on the compilation of policies.
    pub compile: Compile,
    /// Automatic rollback of new policy versions.
    pub rollback: Rollback,
    /// Bounds on the memory that requests and answers hold.
    pub memory: MemoryLimits,
    /// Files that clients upload.
    pub uploads: Uploads,
    /// Limit on the retries of one model in flight.
    pub retry_budget: RetryBudget,
    /// Servers that answer model calls.
    pub backends: Vec<Backend>,
    /// Models on the backends; at least one. Their live stats are empty: see
    /// [`keep_live_stats`](Self::keep_live_stats).
    pub models: Vec<Arc<Model>>,
    /// Origins of the facts of each model, in the same order.
    pub origins: Vec<FactsOrigin>,
    /// Prices of each model over time, in the same order.
    pub price_schedules: Vec<PriceSchedule>,
    /// The directory in which every file is a policy, if there is one.
    pub policy_dir: Option<PathBuf>,
    /// Policies, used or not: those of the file, then those of the directory.
    pub policies: Vec<Policy>,
    /// Routes.
    pub routes: Vec<Route>,
    /// API keys of clients. Without any, all clients are served, unless the server requires keys.
    pub keys: Vec<Key>,
    /// Other files that were read: keys, tokens, certificate authorities.
    pub files: Vec<PathBuf>,
    /// Warnings about settings that are valid but probably mistaken.
    pub warnings: Vec<String>,
    /// Text that it was compiled from.
    pub text: ConfigText,
}

/// Settings of the command line, which take precedence over the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Overrides {
    /// `--listen`
    pub listen: Option<SocketAddr>,
    /// `--admin-listen`
    pub admin_listen: Option<SocketAddr>,
    /// `--allow-anonymous`
    pub allow_anonymous: bool,
}

/// Text of a configuration, and the environment in which it is compiled.
#[derive(Clone, Copy)]
pub struct ConfigSource<'a> {
    /// Name of the file in messages.
    pub file: &'a str,
    /// Text of the file.
    pub text: &'a str,
    /// Directory to which relative paths refer.
    pub base_dir: &'a Path,
    /// Returns the value of an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Settings of the command line.
    pub overrides: Overrides,
    /// Time whose prices are in force, in seconds since 1970.
    pub now: u64,
}

/// Error of reading a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", .path.display())]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// The file is not a configuration.
    #[error(transparent)]
    Invalid(#[from] InvalidConfig),
}

impl ConfigError {
    /// Returns whether reading the same files again may succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreadable { source, .. } => is_transient(source),
            Self::Invalid(invalid) => invalid.is_transient,
        }
    }

    /// Returns the other files that were read, or could not be.
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
        let (file, text, env, now) = (file.as_str(), text.as_str(), &environment, unix_seconds());
        Ok(Self::parse(ConfigSource { file, text, base_dir, env, overrides, now })?)
    }

    /// Compiles the embedded configuration, [`DEFAULT_TOML`].
    pub fn embedded(overrides: Overrides) -> Result<Self, ConfigError> {
        let input = ConfigSource {
            file: "the embedded default",
            text: DEFAULT_TOML,
            base_dir: Path::new(""),
            env: &environment,
            overrides,
            now: unix_seconds(),
        };
        Ok(Self::parse(input)?)
    }

    /// Compiles a text.
    pub fn parse(input: ConfigSource<'_>) -> Result<Self, InvalidConfig> {
        compile::compile(input)
    }

    /// Takes over the live stats of another configuration's models if id, upstream name and
    /// backend are unchanged.
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

    /// Puts the prices of a time in force, in seconds since 1970. A model whose price changes is
    /// replaced by one with the same live stats.
    pub fn apply_prices(&mut self, now: u64) {
        for (model, schedule) in self.models.iter_mut().zip(&self.price_schedules) {
            let price = schedule.at(now).cloned().unwrap_or_default();
            if model.price != price {
                Arc::make_mut(model).price = price;
            }
        }
    }

    /// Returns the models whose prices are not those of a time in seconds since 1970.
    pub fn outdated_prices(&self, now: u64) -> impl Iterator<Item = &Arc<Model>> {
        let models = self.models.iter().zip(&self.price_schedules);
        models
            .filter(move |(model, schedule)| model.price != *schedule.at(now).unwrap_or(&Price::default()))
            .map(|(model, _)| model)
    }

    /// Returns the time of the first change of a price after a time, both in seconds since 1970.
    pub fn next_price_change(&self, now: u64) -> Option<u64> {
        self.price_schedules.iter().filter_map(|schedule| schedule.next_change(now)).min()
    }

    /// Returns the model with this id.
    pub fn model(&self, id: &ModelId) -> Option<&Arc<Model>> {
        self.models.iter().find(|model| model.id == *id)
    }

    /// Returns the behaviour of a model of a simulated backend.
    pub fn simulated(&self, model: &Model) -> Option<ModelBehaviour> {
        let backend = self.backends.iter().find(|backend| backend.name == model.backend)?;
        match &backend.transport {
            TransportConfig::Simulated(fleet) => fleet.models.get(&model.upstream_name).copied(),
            TransportConfig::Http(_) => None,
        }
    }

    /// Returns the policy with this name.
    pub fn policy(&self, name: &PolicyName) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.spec.name == *name)
    }

    /// Returns the route with this name.
    pub fn route(&self, name: &RouteName) -> Option<&Route> {
        self.routes.iter().find(|route| route.name == *name)
    }
}

impl fmt::Debug for ConfigSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigSource").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Reads an environment variable.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
