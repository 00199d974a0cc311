//! The compiler's process: bytes in, native code or an error out.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, nice, setrlimit};
use wasmtime::Engine;

use super::message;
use crate::load::{LoadError, component_of};
use crate::runtime::settings;

/// How much below the gateway the compiler comes when both want the processor: it
/// gets half as much of it as a thread of requests. With less, a swap on a busy
/// machine would take minutes.
const NICENESS: i32 = 3;
/// Open files: standard ones, and what the runtime reads of /proc.
const MAX_FILES: u64 = 16;

/// The whole of a process that compiles one policy: limits itself to `memory`
/// bytes and `seconds` of processor time, reads the policy from standard input
/// and writes what became of it to standard output. Whoever uses
/// [`ChildCompiler`](super::ChildCompiler) has a command that calls this.
pub fn compiler_process(memory: u64, seconds: u64) -> ExitCode {
    match limit(memory, seconds).map_err(io::Error::from).and_then(|()| serve()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // It is read where this process was started.
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

fn serve() -> io::Result<()> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    let (kind, rest) = message::encode(compile(&bytes));
    let mut out = io::stdout().lock();
    out.write_all(&[kind])?;
    out.write_all(&rest)?;
    out.flush()
}

/// With the settings of the engine that will run it, but without its pool.
fn compile(bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
    let component = component_of(bytes)?;
    let engine = Engine::new(&settings()).map_err(LoadError::compile)?;
    engine.precompile_component(&component).map_err(LoadError::compile)
}
