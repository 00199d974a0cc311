//! Fleet and route of a configuration, as a simulation runs them.

mod what_if;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args as ClapArgs;
use pointsman_config::{Config, OnFailure, Overrides, Route, RouteLimits};
use pointsman_domain::ids::{ModelId, PolicyName, RouteName};
use pointsman_domain::model::Model;
use pointsman_domain::model_behaviour::ModelBehaviour;
use pointsman_domain::names::nearest_name;
use pointsman_evaluation::simulation::{PREFIX_BLOCK_TOKENS, RequestLimits, SimulatedModel};
use pointsman_terminal::CommandError;

pub use what_if::WhatIf;

/// Route of the built-in configuration where none is named.
const DEMO_ROUTE: &str = "cost";
/// Largest prompt cache, in tokens.
const MAX_CACHE_TOKENS: u64 = 1 << 32;

/// Options that complete what a configuration does not state of its models.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct FleetArgs {
    /// Speed of a real model: milliseconds to the first token, and tokens per second after it
    #[arg(long, value_name = "MODEL=MS/SPEED", value_parser = what_if::pair)]
    speed: Vec<(String, (f64, f64))>,
    /// Calls that each model works on at once, where the configuration states no `capacity`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    capacity: Option<u32>,
    /// Size of the prompt cache of each model, in tokens. Only traces with hashes of prompts use it
    #[arg(long, value_name = "TOKENS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=MAX_CACHE_TOKENS))]
    prompt_cache: u64,
}

/// A route, its models, and their behaviour.
#[derive(Clone, Debug)]
pub struct World {
    /// The configuration.
    pub config: Config,
    /// The route.
    pub route: Route,
    /// Models of the route in its order. Their live statistics are empty.
    pub models: Vec<SimulatedModel>,
    /// True if the route is a model that clients name, so that no policy decides.
    pub is_direct: bool,
}

impl World {
    /// Reads a configuration, or the built-in one, and finds a route in it. A route need not be named if
    /// there is only one, and in the built-in configuration.
    ///
    /// # Errors
    /// Fails with exit status 2 if the configuration is invalid, has no such route, or does not state
    /// what a simulation needs and the options do not either.
    pub fn load(path: Option<&Path>, route: Option<&str>, fleet: &FleetArgs) -> Result<Self, CommandError> {
        let config = match path {
            Some(path) => Config::load(path, Overrides::default()),
            None => Config::embedded(Overrides::default()),
        };
        let config = config.map_err(|error| CommandError::Input(error.to_string()))?;
        let route = match (route, path, config.routes.as_slice()) {
            (Some(name), ..) => named_route(&config, name)?,
            (None, None, _) => named_route(&config, DEMO_ROUTE)?,
            (None, Some(_), [only]) => only.clone(),
            (None, Some(path), routes) => {
                let names: Vec<&str> = routes.iter().map(|route| route.name.as_str()).collect();
                let reason = match names.as_slice() {
                    [] => "has no route".to_owned(),
                    names => format!("has several routes: {}", names.join(", ")),
                };
                return Err(CommandError::Input(format!(
                    "error: {} {reason}\n  = hint: name one with --route, or after # in a comparison",
                    path.display()
                )));
            }
        };
        fleet.check(&config)?;
        let mut missing = Vec::new();
        let models = route.models.iter().filter_map(|id| config.model(id));
        let models = models.map(|model| fleet.complete(&config, model, &mut missing)).collect();
        if !missing.is_empty() {
            return Err(CommandError::Input(format!(
                "error: what a simulation needs is not known:\n{}\n  = hint: state `expected` in the configuration, or give \
                 --speed MODEL=MS/SPEED",
                missing.join("\n")
            )));
        }
        let is_direct = config.route(&route.name).is_none();
        Ok(Self { config, route, models, is_direct })
    }

    /// Returns the limits of the route.
    pub fn limits(&self) -> RequestLimits {
        let limits = &self.route.limits;
        RequestLimits {
            timeout: limits.timeout,
            timeouts: limits.timeouts,
            max_attempts: limits.max_attempts,
            backoff: limits.backoff,
            retry_budget: limits.retry_budget,
            plan: limits.plan,
        }
    }

    /// Returns a model of the route by its id.
    ///
    /// # Errors
    /// Fails with exit status 2 if the route has none.
    fn position(&self, id: &str, flag: &str) -> Result<usize, CommandError> {
        let ids = || self.models.iter().map(|it| it.model.id.as_str());
        ids().position(|known| known == id).ok_or_else(|| unknown(flag, "model of the route", id, ids()))
    }
}

impl FleetArgs {
    /// Fails if an option names a model that the configuration does not have.
    fn check(&self, config: &Config) -> Result<(), CommandError> {
        let ids = || config.models.iter().map(|model| model.id.as_str());
        if let Some((id, _)) = self.speed.iter().find(|(id, _)| ids().all(|known| known != id)) {
            return Err(unknown("--speed", "model", id, ids()));
        }
        Ok(())
    }

    /// Returns a model with live statistics of its own, and its behaviour.
    fn complete(&self, config: &Config, model: &Model, missing: &mut Vec<String>) -> SimulatedModel {
        let model = Model { live: Arc::default(), ..model.clone() };
        let given = self.speed.iter().rev().find(|(id, _)| *id == model.id.as_str());
        let given = given.map(|(_, speed)| *speed);
        let mut behaviour = match (given, config.simulated(&model)) {
            (Some(speed), simulated) => with_speed(speed, simulated),
            (None, Some(simulated)) => simulated,
            (None, None) => {
                let expected = model.expected;
                match expected.first_token_ms.zip(expected.tokens_per_second) {
                    Some(speed) => with_speed(speed, None),
                    None => {
                        missing.push(format!("  the speed of {}", model.id));
                        ModelBehaviour::default()
                    }
                }
            }
        };
        behaviour.capacity = behaviour.capacity.or(self.capacity);
        let cache_blocks = (self.prompt_cache / u64::from(PREFIX_BLOCK_TOKENS)) as usize;
        SimulatedModel { cache_blocks, ..SimulatedModel::new(Arc::new(model), behaviour) }
    }
}

fn with_speed((first_ms, speed): (f64, f64), simulated: Option<ModelBehaviour>) -> ModelBehaviour {
    ModelBehaviour {
        first_token: Duration::try_from_secs_f64(first_ms / 1e3).unwrap_or_default(),
        tokens_per_second: Some(speed),
        ..simulated.unwrap_or_default()
    }
}

fn named_route(config: &Config, name: &str) -> Result<Route, CommandError> {
    let names = || config.routes.iter().map(|route| route.name.as_str());
    let found = config.routes.iter().find(|route| route.name.as_str() == name).cloned();
    let found = found.or_else(|| Some(direct(config, config.model(&ModelId::new(name))?)));
    found.ok_or_else(|| unknown("--route", "route or model", name, names()))
}

/// Returns the route of a model that clients name.
fn direct(config: &Config, model: &Model) -> Route {
    Route {
        name: RouteName::new(model.id.as_str()),
        aliases: Vec::new(),
        description: None,
        policy: PolicyName::new(""),
        trial: None,
        models: vec![model.id.clone()],
        baseline: None,
        limits: RouteLimits::unstated(config.retry_budget),
        on_failure: OnFailure::Fallback,
    }
}

/// Returns the error of a name that nothing has, with the name that was likely meant.
fn unknown<'n>(flag: &str, what: &str, name: &str, known: impl Iterator<Item = &'n str>) -> CommandError {
    let known: Vec<&str> = known.collect();
    let hint = match nearest_name(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}", known.join(", ")),
    };
    CommandError::Input(format!("error: {flag}: there is no {what} `{name}`\n  = hint: {hint}"))
}

/// Part of the command line that names a configuration and a route.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct WorldArgs {
    /// Configuration of the gateway; without it, the models that `serve` simulates without one
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Route of the configuration, or a model of it
    #[arg(long, value_name = "NAME")]
    pub route: Option<String>,
    /// Completion of the models.
    #[command(flatten)]
    pub fleet: FleetArgs,
}

impl WorldArgs {
    /// Reads the configuration.
    ///
    /// # Errors
    /// Fails as [`World::load`] does.
    pub fn load(&self) -> Result<World, CommandError> {
        World::load(self.config.as_deref(), self.route.as_deref(), &self.fleet)
    }
}

#[cfg(test)]
mod tests;
