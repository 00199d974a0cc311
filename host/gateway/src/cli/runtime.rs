//! The engine of the policies, as the configuration wants it.

use std::path::PathBuf;

use pointsman_policy::{CacheConfig, ChildCompiler, Compiler, Runtime, RuntimeConfig, RuntimeError};

use super::{Failure, compile_policy};
use pointsman_config::Config;

/// Where compiled code is kept, below the directory of the state.
const COMPILED: &str = "compiled";

/// Policies are compiled by this program in a process of its own.
pub(super) fn new(config: &Config) -> Result<Runtime, Failure> {
    let compiler = ChildCompiler {
        program: this_program().map_err(Failure::run)?,
        arguments: vec![compile_policy::NAME.into()],
        timeout: config.compile.timeout,
        memory_bytes: config.compile.memory_bytes,
        processes: config.compile.processes,
    };
    Runtime::new(RuntimeConfig {
        compiler: Compiler::Child(compiler),
        cache: config.state.dir.as_ref().map(|dir| CacheConfig::new(dir.join(COMPILED))),
        ..RuntimeConfig::default()
    })
    .map_err(|error| match error {
        RuntimeError::Cache { .. } => Failure::Input(format!(
            "error: {error}\n  = hint: make it a directory that only this user can write to, or change `state.dir`"
        )),
        RuntimeError::Engine(_) | RuntimeError::Threads(_) => Failure::run(error),
    })
}

/// On Linux the program that runs, even where another has taken its place on disk.
fn this_program() -> std::io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}
