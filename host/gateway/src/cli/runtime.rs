//! The engine of the policies, as configured.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pointsman_config::{Compile, Config, environment};
use pointsman_policy::{CacheConfig, ChildCompiler, Compiler, Runtime, RuntimeConfig, RuntimeError};
use pointsman_serving::auth::StoredKeys;
use pointsman_serving::clock::unix_seconds;
use pointsman_state::{ClientKeyError, StateStores, UnreadableKey, UsageHistory};

use super::{CommandError, compile_policy};
use crate::program::this_program;

/// Directory of compiled code, below the state directory.
const COMPILED: &str = "compiled";

/// File of what policies keep, in the state directory.
const POLICY_STATE: &str = "policy-state.redb";

/// File of the history of usage, in the state directory.
const USAGE_HISTORY: &str = "history.redb";

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

/// Returns the cache of compiled code for an author's commands: `POINTSMAN_CACHE`, or `pointsman` in the
/// user's directory of caches. `None` if the variable is empty or there is no such directory.
pub(super) fn author_cache() -> Option<CacheConfig> {
    let directory = match environment("POINTSMAN_CACHE") {
        Some(directory) => Some(PathBuf::from(directory)),
        None => {
            let named = environment("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
            let caches = named.or_else(|| Some(PathBuf::from(environment("HOME")?).join(".cache")));
            caches.map(|caches| caches.join("pointsman"))
        }
    };
    let directory = directory.filter(|directory| directory.is_absolute())?;
    Some(code_cache(&directory))
}

/// Opens what policies keep, in the state directory if there is one. That directory is locked.
pub(super) fn states(config: &Config) -> Result<StateStores, CommandError> {
    let Some(directory) = &config.state.dir else { return Ok(StateStores::in_memory()) };
    let hint = "move the file away to start without what policies have learnt";
    StateStores::open(&directory.join(POLICY_STATE))
        .map_err(|error| CommandError::Input(format!("error: {error}\n  = hint: {hint}")))
}

/// Opens the history of usage, in the state directory if there is one. A file that cannot be used does
/// not keep the gateway from serving.
pub(super) fn usage_history(config: &Config) -> UsageHistory {
    match &config.state.dir {
        Some(directory) => UsageHistory::open(&directory.join(USAGE_HISTORY), unix_seconds()),
        None => UsageHistory::in_memory(unix_seconds()),
    }
}

/// Opens the keys that operators created, in the state directory if there is one, and checks that the configuration
/// has none of them. That directory is locked.
pub(super) fn stored_keys(config: &Config) -> Result<Arc<StoredKeys>, CommandError> {
    let keys = StoredKeys::open(config.state.dir.as_deref()).map_err(|error| {
        let hint = match &error {
            ClientKeyError::Key { reason: UnreadableKey::Later(_), .. } => "start that version again",
            _ => {
                "restore the file from a backup; or move it away, set `server.require_key = true` so that nobody is \
                 served without a key meanwhile, and create the keys anew"
            }
        };
        CommandError::Input(format!("error: {error}\n  = hint: {hint}"))
    })?;
    keys.check_names(config).map_err(|error| CommandError::Input(error.to_string()))?;
    Ok(Arc::new(keys))
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
