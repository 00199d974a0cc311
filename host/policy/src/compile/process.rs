//! The compiler's process: bytes in, native code or an error out.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, nice, setrlimit};
use wasmtime::Engine;

use super::message;
use crate::binary::checked_component;
use crate::engine::{FuelCounting, code_settings};
use crate::load_error::LoadError;

/// Niceness of the compiler, which leaves it half the processor time of a request thread. With
/// less, a swap on a busy machine would take minutes.
const NICENESS: i32 = 3;
/// Open files: the standard streams, and those that the runtime reads in /proc.
const MAX_FILES: u64 = 16;

/// Argument after the two numbers of a compiler's process, for code that counts its instructions.
pub const FUEL_ARGUMENT: &str = "--fuel";

/// Runs as the whole of a process that compiles one policy. Limits itself to `memory` bytes and
/// `seconds` of processor time, reads the policy from standard input, and writes native code or an
/// error to standard output. A user of [`ChildCompiler`](super::ChildCompiler) needs a command that
/// calls this.
pub fn compiler_process(memory: u64, seconds: u64, fuel: FuelCounting) -> ExitCode {
    match limit(memory, seconds).map_err(io::Error::from).and_then(|()| serve(fuel)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The parent process reads it.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn limit(memory: u64, seconds: u64) -> rustix::io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    nice(NICENESS)?;
    for (resource, most) in [
        (Resource::Data, memory),
        (Resource::Cpu, seconds),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nofile, MAX_FILES),
    ] {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(())
}

fn serve(fuel: FuelCounting) -> io::Result<()> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    let (kind, payload) = message::encode(compile(&bytes, fuel));
    let mut out = io::stdout().lock();
    out.write_all(&[kind])?;
    out.write_all(&payload)?;
    out.flush()
}

/// Compiles with the settings of the engine that will run the code, but without its pool.
fn compile(bytes: &[u8], fuel: FuelCounting) -> Result<Vec<u8>, LoadError> {
    let component = checked_component(bytes)?;
    let engine = Engine::new(&code_settings(fuel)).map_err(LoadError::compile)?;
    engine.precompile_component(&component).map_err(LoadError::compile)
}
