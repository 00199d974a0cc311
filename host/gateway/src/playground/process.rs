//! The process of a run, from the side of the gateway.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::{COMMAND, RunCaseInput, RunCaseOutput};
use crate::program::this_program;

/// Longest time of a run, with compilation.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Longest report, in bytes.
const MAX_OUTPUT: u64 = 16 << 20;

/// A child process that is killed and reaped when dropped.
struct RunningChild(Child);

/// Runs a case in a process of its own, and waits for its end.
pub(crate) fn run(input: &RunCaseInput) -> RunCaseOutput {
    try_run(input).unwrap_or_else(|error| RunCaseOutput::Failed(format!("error: {error}")))
}

fn try_run(input: &RunCaseInput) -> Result<RunCaseOutput, std::io::Error> {
    let text = serde_json::to_vec(input)?;
    let mut command = Command::new(this_program()?);
    // Signals from a terminal go to the gateway alone.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
        .arg(COMMAND)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = RunningChild(command.spawn()?);
    let (stdin, stdout) = (child.0.stdin.take(), child.0.stdout.take());
    let (done, output) = mpsc::channel();
    let exchange = thread::Builder::new().name("playground".to_owned()).spawn(move || {
        // Both end when the process does, which the other thread makes sure of.
        if let Some(mut stdin) = stdin {
            let _ = stdin.write_all(&text);
        }
        let mut bytes = Vec::new();
        if let Some(stdout) = stdout {
            let _ = stdout.take(MAX_OUTPUT).read_to_end(&mut bytes);
        }
        let _ = done.send(bytes);
    })?;
    let received = output.recv_timeout(TIMEOUT);
    drop(child);
    let _ = exchange.join();
    match received {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|_| std::io::Error::other("the process of the run ended without a report")),
        Err(RecvTimeoutError::Timeout) => {
            let seconds = TIMEOUT.as_secs();
            Err(std::io::Error::other(format!("the run was stopped after {seconds} s")))
        }
        Err(RecvTimeoutError::Disconnected) => Err(std::io::Error::other("the run gave no result")),
    }
}

impl Drop for RunningChild {
    fn drop(&mut self) {
        // Both fail if it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
