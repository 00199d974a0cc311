//! The engine of the policies, as configured.

use std::path::Path;

use pointsman_config::{Compile, Config};
use pointsman_policy::{CacheConfig, ChildCompiler, Compiler, Runtime, RuntimeConfig, RuntimeError};
use pointsman_state::StateStores;

use super::{CommandError, compile_policy};
use crate::program::this_program;

/// Directory of compiled code, below the state directory.
const COMPILED: &str = "compiled";

/// File of what policies keep, in the state directory.
const POLICY_STATE: &str = "policy-state.redb";

/// Creates the engine. Policies are compiled by this program in a process of their own.
pub(super) fn new(config: &Config, states: StateStores) -> Result<Runtime, CommandError> {
    let runtime = RuntimeConfig {
        compiler: child_compiler(&config.compile)?,
        cache: config.state.dir.as_deref().map(code_cache),
        ..RuntimeConfig::default()
    };
    Runtime::with_states(runtime, states).map_err(|error| match error {
        RuntimeError::Cache { .. } => CommandError::Input(format!(
            "error: {error}\n  = hint: make it a directory that only this user can write to, or change `state.dir`"
        )),
        RuntimeError::Engine(_) | RuntimeError::Threads(_) => CommandError::run(error),
    })
}

/// Returns the cache of compiled code in a state directory.
pub(super) fn code_cache(state: &Path) -> CacheConfig {
    CacheConfig::new(state.join(COMPILED))
}

/// Opens what policies keep, in the state directory if there is one. That directory is locked.
pub(super) fn states(config: &Config) -> Result<StateStores, CommandError> {
    let Some(directory) = &config.state.dir else { return Ok(StateStores::in_memory()) };
    let hint = "move the file away to start without what policies have learnt";
    StateStores::open(&directory.join(POLICY_STATE))
        .map_err(|error| CommandError::Input(format!("error: {error}\n  = hint: {hint}")))
}

/// Returns a compiler that is this program in a process of its own.
pub(super) fn child_compiler(limits: &Compile) -> Result<Compiler, CommandError> {
    Ok(Compiler::Child(ChildCompiler {
        program: this_program().map_err(CommandError::run)?,
        arguments: vec![compile_policy::NAME.into()],
        timeout: limits.timeout,
        memory_bytes: limits.memory_bytes,
        processes: limits.processes,
    }))
}
