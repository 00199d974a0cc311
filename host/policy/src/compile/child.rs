//! The compiler's process, from the side of its parent.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use pointsman_domain::text::printable;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::{FUEL_ARGUMENT, NativeCode, message};
use crate::engine::FuelCounting;
use crate::load_error::LoadError;

/// Messages of the standard library when memory is exhausted, for the heap and for the stack of a
/// new thread.
const OUT_OF_MEMORY: [&str; 2] = ["memory allocation of ", "Resource temporarily unavailable"];
/// Bytes of the compiler's standard error that are kept.
const MAX_STDERR: u64 = 16 << 10;
/// Bytes of its last line that an error quotes.
const MAX_QUOTED_ERROR: usize = 300;

/// A program that compiles one policy and exits; see [`compiler_process`](super::compiler_process).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildCompiler {
    /// The program, which may be the running one.
    pub program: PathBuf,
    /// Its arguments, to which two numbers are added, bytes of memory and seconds of processor time,
    /// and [`FUEL_ARGUMENT`](super::FUEL_ARGUMENT) for code that counts its instructions.
    pub arguments: Vec<OsString>,
    /// Longest time for one policy, not counting the wait for a free process.
    pub timeout: Duration,
    /// Most memory for one policy, in bytes.
    pub memory_bytes: usize,
    /// Most concurrent processes.
    pub processes: u32,
}

/// A child process that is killed and reaped when dropped.
struct RunningChild(Child);

/// Output and status of a process that has exited.
struct ChildExit {
    stdout: Vec<u8>,
    stderr: String,
    status: ExitStatus,
    timed_out: bool,
}

impl ChildCompiler {
    /// Compiles a policy. Blocks until the process exits, at most for the timeout.
    pub(super) fn compile(&self, bytes: &[u8], fuel: FuelCounting) -> Result<NativeCode, LoadError> {
        let exit = self.run(bytes, fuel).map_err(LoadError::NoCompiler)?;
        let by_signal = |signal: Signal| exit.status.signal() == Some(signal.as_raw());
        if exit.timed_out || by_signal(Signal::XCPU) {
            return Err(LoadError::CompileTime { limit: self.timeout });
        }
        if exit.status.success() && exit.stdout.len() <= self.memory_bytes {
            return match message::decode(exit.stdout) {
                Some(result) => result.map(NativeCode::vouched),
                None => Err(LoadError::CompileCrash("it returned no result".to_owned())),
            };
        }
        // The watchdog's kill is handled above, so this one comes from the kernel's OOM killer.
        if OUT_OF_MEMORY.iter().any(|message| exit.stderr.contains(message)) || by_signal(Signal::KILL) {
            return Err(LoadError::CompileMemory { limit: self.memory_bytes });
        }
        // The message of a panic ends with a note on how to get a backtrace.
        let is_message = |line: &&str| !line.trim().is_empty() && !line.starts_with("note: ");
        let message = exit.stderr.lines().rfind(is_message).unwrap_or_default();
        Err(LoadError::CompileCrash(format!("{}: {}", exit.status, printable(message, MAX_QUOTED_ERROR))))
    }

    fn command(&self, fuel: FuelCounting) -> Command {
        let threads = self.threads();
        let seconds = self.timeout.as_secs().saturating_add(1).saturating_mul(threads as u64);
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .args([self.memory_bytes.to_string(), seconds.to_string()])
            .args((fuel == FuelCounting::On).then_some(FUEL_ARGUMENT))
            .env_clear()
            .env("RAYON_NUM_THREADS", threads.to_string())
            .current_dir("/")
            // Signals from a terminal go to the gateway alone.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Divides the processors among all children.
    fn threads(&self) -> usize {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        processors.div_ceil(self.processes.max(1) as usize)
    }

    fn run(&self, bytes: &[u8], fuel: FuelCounting) -> io::Result<ChildExit> {
        let mut child = RunningChild(self.command(fuel).spawn()?);
        let process = Pid::from_child(&child.0);
        let missing = || io::Error::other("the compiler has no standard streams");
        let mut stdin = child.0.stdin.take().ok_or_else(missing)?;
        let stdout = child.0.stdout.take().ok_or_else(missing)?;
        let stderr = child.0.stderr.take().ok_or_else(missing)?;
        thread::scope(|scope| {
            let (exited, exit) = mpsc::channel::<()>();
            let watchdog =
                start(scope, "compile-watchdog", move || kill_after(process, self.timeout, &exit))?;
            let stderr = start(scope, "compile-errors", move || read(stderr, MAX_STDERR));
            // Fails if the process has exited, which is handled below.
            let _ = stdin.write_all(bytes);
            drop(stdin);
            let stdout = read(stdout, (self.memory_bytes as u64).saturating_add(1));
            // Waits without reaping the process, so that its id is not reused and the watchdog cannot
            // kill another process.
            waitid(WaitId::Pid(process), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
            drop(exited);
            let timed_out = watchdog.join().unwrap_or(false);
            let stderr = stderr?.join().unwrap_or_default();
            let status = child.0.wait()?;
            let stderr = String::from_utf8_lossy(&stderr).into_owned();
            Ok(ChildExit { stdout, stderr, status, timed_out })
        })
    }
}

impl Drop for RunningChild {
    fn drop(&mut self) {
        // Both fail if it has been reaped already.
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

/// Kills a process that has not exited within the timeout. Returns whether it did.
fn kill_after(process: Pid, timeout: Duration, exit: &Receiver<()>) -> bool {
    let is_late = exit.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout);
    if is_late {
        let _ = kill_process(process, Signal::KILL);
    }
    is_late
}

/// Reads up to `most` bytes and closes the pipe, so that a process that writes more gets `SIGPIPE`.
fn read(pipe: impl Read, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // On an error, what was read so far counts.
    let _ = pipe.take(most).read_to_end(&mut bytes);
    bytes
}
