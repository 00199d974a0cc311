//! `pointsman check`

use std::io::Write;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use pointsman_config::{Config, Overrides};
use pointsman_serving::reload::{self, ConfigSource, PolicySources, UnreachableSources};
use pointsman_serving::rollout::Rollouts;
use pointsman_state::StateStores;
use pointsman_supply::Fetcher;

use super::{CommandError, print, runtime};
use crate::builtin;

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// The configuration to check
    #[arg(default_value = "pointsman.toml")]
    file: PathBuf,
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
            &PolicySources { fetcher: Fetcher::new(), builtin: builtin::bytes },
            UnreachableSources::Refuse,
        ))
        .map_err(|error| CommandError::Input(error.to_string()))?;
    for policy in &snapshot.config.policies {
        let Some(slot) = snapshot.slots.get(&policy.spec.name) else { continue };
        for problem in &slot.active().description().problems {
            warn(&format!("policy `{}`: its description is faulty: {problem}", policy.spec.name));
        }
    }
    print(format_args!("{}: ok ({summary})", args.file.display()))
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
