//! The compiler in a process of its own, seen from the process that wants code.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::{Artefact, message};
use crate::load::LoadError;
use pointsman_domain::text::printable;

/// What the standard library says when there is no memory left, and when there is
/// none for the stack of a thread.
const OUT_OF_MEMORY: [&str; 2] = ["memory allocation of ", "Resource temporarily unavailable"];
/// Bytes that are kept of what the compiler writes to standard error.
const MAX_STDERR: u64 = 16 << 10;
/// Bytes of it that a message tells.
const MAX_TOLD: usize = 300;

/// A program that compiles one policy and ends: see
/// [`compiler_process`](super::compiler_process).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildCompiler {
    /// The program; it may be the one that runs.
    pub program: PathBuf,
    /// What it is called with, before two numbers: bytes of memory and seconds of
    /// processor time.
    pub arguments: Vec<OsString>,
    /// Longest time for one policy, not counting the wait for its turn.
    pub timeout: Duration,
    /// Most memory for one policy, in bytes.
    pub memory_bytes: usize,
    /// Most processes at the same time.
    pub processes: u32,
}

/// Kills the process when dropped, and lets go of it.
struct Running(Child);

/// How a process ended.
struct Ended {
    said: Vec<u8>,
    errors: String,
    status: ExitStatus,
    timed_out: bool,
}

impl ChildCompiler {
    /// Compiles a policy. Blocks until it is done, at most for the timeout.
    pub(super) fn compile(&self, bytes: &[u8]) -> Result<Artefact, LoadError> {
        let ended = self.run(bytes).map_err(LoadError::NoCompiler)?;
        let by_signal = |signal: Signal| ended.status.signal() == Some(signal.as_raw());
        if ended.timed_out || by_signal(Signal::XCPU) {
            return Err(LoadError::CompileTime { limit: self.timeout });
        }
        if ended.status.success() && ended.said.len() <= self.memory_bytes {
            return match message::decode(ended.said) {
                Some(result) => result.map(Artefact::vouched),
                None => Err(LoadError::CompileCrash("it gave no answer".to_owned())),
            };
        }
        // A signal that nobody here sent comes from a system without memory.
        if OUT_OF_MEMORY.iter().any(|words| ended.errors.contains(words)) || by_signal(Signal::KILL) {
            return Err(LoadError::CompileMemory { limit: self.memory_bytes });
        }
        // A panic's text ends with a note on how to see more.
        let is_told = |line: &&str| !line.trim().is_empty() && !line.starts_with("note: ");
        let words = ended.errors.lines().rfind(is_told).unwrap_or_default();
        Err(LoadError::CompileCrash(format!("{}: {}", ended.status, printable(words, MAX_TOLD))))
    }

    fn command(&self) -> Command {
        let threads = self.threads();
        let seconds = self.timeout.as_secs().saturating_add(1).saturating_mul(threads as u64);
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .args([self.memory_bytes.to_string(), seconds.to_string()])
            .env_clear()
            .env("RAYON_NUM_THREADS", threads.to_string())
            .current_dir("/")
            // Signals of a terminal are for the gateway alone.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// All children together use the machine once.
    fn threads(&self) -> usize {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        processors.div_ceil(self.processes.max(1) as usize)
    }

    fn run(&self, bytes: &[u8]) -> io::Result<Ended> {
        let mut running = Running(self.command().spawn()?);
        let process = Pid::from_child(&running.0);
        let missing = || io::Error::other("the compiler has no standard streams");
        let mut stdin = running.0.stdin.take().ok_or_else(missing)?;
        let stdout = running.0.stdout.take().ok_or_else(missing)?;
        let stderr = running.0.stderr.take().ok_or_else(missing)?;
        thread::scope(|scope| {
            let (ended, end) = mpsc::channel::<()>();
            let watchdog = start(scope, "compile-watchdog", move || kill_at(process, self.timeout, &end))?;
            let errors = start(scope, "compile-errors", move || read(stderr, MAX_STDERR));
            // A process that died does not read on; how it died is told below.
            let _ = stdin.write_all(bytes);
            drop(stdin);
            let said = read(stdout, (self.memory_bytes as u64).saturating_add(1));
            // Waits without letting go of the process: its id stays its own, and so
            // the watchdog cannot kill another.
            waitid(WaitId::Pid(process), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
            drop(ended);
            let timed_out = watchdog.join().unwrap_or(false);
            let errors = errors?.join().unwrap_or_default();
            let status = running.0.wait()?;
            Ok(Ended { said, errors: String::from_utf8_lossy(&errors).into_owned(), status, timed_out })
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail when it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start<'scope, T: Send + 'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<thread::ScopedJoinHandle<'scope, T>> {
    thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, work)
}

/// Kills a process that takes too long. Tells whether it did.
fn kill_at(process: Pid, timeout: Duration, end: &Receiver<()>) -> bool {
    let is_late = end.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout);
    if is_late {
        let _ = kill_process(process, Signal::KILL);
    }
    is_late
}

/// What can be read, up to `most` bytes. The pipe is closed then, and whoever
/// writes more is stopped.
fn read(pipe: impl Read, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A pipe that breaks has given all there is.
    let _ = pipe.take(most).read_to_end(&mut bytes);
    bytes
}
