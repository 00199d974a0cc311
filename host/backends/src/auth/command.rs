//! Commands that print a key.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use pointsman_domain::secret::Secret;
use pointsman_domain::text::printable;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::KeyCommand;
use super::key_text::{self, MAX_TEXT};

/// Bytes of standard error that are kept.
const MAX_STDERR: usize = 16 << 10;
/// Bytes of its last line that an error quotes.
const MAX_QUOTED: usize = 300;

/// Child process that is killed, with all that it started, and reaped when dropped.
struct RunningChild(Child);

/// Output and status of a process that has ended.
struct ChildExit {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    status: ExitStatus,
    timed_out: bool,
}

/// Runs a command and returns the key that it prints. Blocks until it ends, at most for its timeout.
pub(super) fn run(command: &KeyCommand) -> Result<Secret, String> {
    let exit = exit_of(command).map_err(|error| format!("it cannot be run: {error}"))?;
    if exit.timed_out {
        return Err(format!("it did not end within {} s", command.timeout.as_secs_f64()));
    }
    if !exit.status.success() {
        let stderr = String::from_utf8_lossy(&exit.stderr);
        let said = match stderr.lines().rfind(|line| !line.trim().is_empty()) {
            Some(line) => format!(": {}", printable(line.trim(), MAX_QUOTED)),
            None => String::new(),
        };
        return Err(format!("it ended with {}{said}", exit.status));
    }
    key_text::parse(&exit.stdout).map_err(|problem| format!("its output {problem}"))
}

fn exit_of(command: &KeyCommand) -> io::Result<ChildExit> {
    let mut child = RunningChild(
        Command::new(&command.program)
            .args(&command.arguments)
            // A group of its own, so that a timeout ends all of its processes.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?,
    );
    let process = Pid::from_child(&child.0);
    let missing = || io::Error::other("it has no standard streams");
    let stdout = child.0.stdout.take().ok_or_else(missing)?;
    let stderr = child.0.stderr.take().ok_or_else(missing)?;
    let timeout = command.timeout;
    thread::scope(|scope| {
        let (ended, end) = mpsc::channel::<()>();
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        let watchdog =
            named("key-watchdog").spawn_scoped(scope, move || kill_after(process, timeout, &end))?;
        let errors = named("key-errors").spawn_scoped(scope, move || read(stderr, MAX_STDERR))?;
        let stdout = read(stdout, MAX_TEXT + 1);
        let stderr = errors.join().unwrap_or_default();
        // Waits without reaping the process, so that its id is not reused and the watchdog cannot kill
        // another group.
        waitid(WaitId::Pid(process), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
        drop(ended);
        let timed_out = watchdog.join().unwrap_or(false);
        let status = child.0.wait()?;
        Ok(ChildExit { stdout, stderr, status, timed_out })
    })
}

/// Kills a process group that has not ended within the timeout. Returns whether it did.
fn kill_after(group: Pid, timeout: Duration, end: &Receiver<()>) -> bool {
    let is_late = end.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout);
    if is_late {
        let _ = kill_process_group(group, Signal::KILL);
    }
    is_late
}

/// Reads up to `most` bytes and closes the pipe, so that a process that writes more gets `SIGPIPE`.
fn read(pipe: impl Read, most: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    // On an error, what was read so far counts.
    let _ = pipe.take(most as u64).read_to_end(&mut bytes);
    bytes
}

impl Drop for RunningChild {
    fn drop(&mut self) {
        // All fail if it has been reaped already.
        if let Ok(None) = self.0.try_wait() {
            let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
            let _ = self.0.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> KeyCommand {
        KeyCommand {
            program: "/bin/sh".into(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            refresh_after: Duration::from_secs(60),
            timeout: Duration::from_secs(60),
        }
    }

    #[test]
    fn a_command_prints_the_key() {
        assert_eq!(run(&shell("echo key-1; echo noise >&2")), Ok(Secret::new("key-1")));
        let plain =
            KeyCommand { program: "echo".into(), arguments: vec!["$HOME;`id`".to_owned()], ..shell("") };
        assert_eq!(run(&plain), Ok(Secret::new("$HOME;`id`")), "no shell reads the arguments");
    }

    #[test]
    fn a_command_that_prints_no_key_reports_the_reason() {
        let failure = |script: &str| run(&shell(script)).unwrap_err();
        assert_eq!(
            failure("echo secret; echo first >&2; echo '  not logged in\t' >&2; echo >&2; exit 3"),
            "it ended with exit status: 3: not logged in"
        );
        assert_eq!(failure("exit 1"), "it ended with exit status: 1");
        assert_eq!(failure("kill -9 $$"), "it ended with signal: 9 (SIGKILL)");
        assert_eq!(failure("true"), "its output is empty");
        assert_eq!(failure("echo a; echo b"), "its output has more than one line, which is no key");
        let missing = KeyCommand { program: "/nowhere/command".into(), ..shell("") };
        assert!(run(&missing).unwrap_err().starts_with("it cannot be run: "));
    }

    #[test]
    fn the_output_and_the_time_of_a_command_are_bounded() {
        let endless =
            run(&shell("trap '' PIPE; while :; do echo xxxxxxxxxxxxxxxx || exit 0; done 2>/dev/null"));
        assert!(endless.unwrap_err().contains("more than 65536 bytes"));
        let started = Instant::now();
        // The inner process holds the output open.
        let command = KeyCommand { timeout: Duration::from_millis(100), ..shell("sleep 600 & sleep 600") };
        assert_eq!(run(&command), Err("it did not end within 0.1 s".to_owned()));
        assert!(started.elapsed() < Duration::from_secs(300));
    }
}
