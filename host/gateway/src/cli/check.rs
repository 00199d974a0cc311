//! `pointsman check`

mod probe;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;
use pointsman_config::{Config, Overrides};
use pointsman_serving::reload::{self, ConfigSource, PolicySources, UnreachableSources};
use pointsman_serving::rollout::Rollouts;
use pointsman_state::StateStores;
use pointsman_supply::Fetcher;

use super::{CommandError, print, runtime};
use crate::builtin;

/// Longest time for one backend, in seconds, unless stated.
const PROBE_SECONDS: u64 = 10;

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
With --probe, the list of models of each backend is requested, which calls no model. A backend without such a
list gets an empty request instead, which no model can serve. Commands of `api_key_command` run.

Exit status: 0 all is well, 1 a backend cannot be used or does not have a model, 2 the configuration is invalid.")]
pub(super) struct Args {
    /// The configuration to check
    #[arg(default_value = "pointsman.toml")]
    file: PathBuf,
    /// Reach each backend, and compare its models with the configured ones
    #[arg(long)]
    probe: bool,
    /// Longest time for one backend
    #[arg(long, value_name = "SECONDS", requires = "probe", default_value_t = PROBE_SECONDS,
          value_parser = clap::value_parser!(u64).range(1..=600))]
    probe_timeout: u64,
    /// Print the result of the probe as JSON, for programs
    #[arg(long, requires = "probe")]
    json: bool,
}

/// Does everything that a start does except listening, so a configuration that passes here can be
/// served. A policy whose source cannot be reached is an error here.
pub(super) fn run(args: Args) -> Result<(), CommandError> {
    let source = ConfigSource { file: Some(args.file.clone()), overrides: Overrides::default() };
    let config = source.read().map_err(|error| CommandError::Input(error.to_string()))?;
    for warning in &config.warnings {
        warn(warning);
    }
    let summary = summary(&config);
    let asynchronous =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::run)?;
    let runtime = runtime::new(&config, StateStores::in_memory())?;
    let snapshot = asynchronous
        .block_on(reload::start(
            config,
            &runtime,
            &Rollouts::default(),
            &PolicySources { fetcher: Fetcher::new(), builtin: builtin::code },
            UnreachableSources::Refuse,
        ))
        .map_err(|error| CommandError::Input(error.to_string()))?;
    for policy in &snapshot.config.policies {
        let Some(slot) = snapshot.slots.get(&policy.spec.name) else { continue };
        for problem in &slot.active().description().problems {
            warn(&format!("policy `{}`: its description is faulty: {problem}", policy.spec.name));
        }
    }
    let file = args.file.display().to_string();
    if args.probe {
        let timeout = Duration::from_secs(args.probe_timeout);
        asynchronous.block_on(probe::run(&snapshot.config, file.clone(), timeout, args.json))?;
    }
    if args.json { Ok(()) } else { print(format_args!("{file}: ok ({summary})")) }
}

/// Prints a warning, which is lost if standard error is closed.
fn warn(warning: &str) {
    let _ = writeln!(std::io::stderr(), "warning: {warning}");
}

fn summary(config: &Config) -> String {
    format!(
        "backends: {}, models: {}, policies: {}, routes: {}, keys: {}",
        config.backends.len(),
        config.models.len(),
        config.policies.len(),
        config.routes.len(),
        config.keys.len()
    )
}
