//! Interactive commands in a pseudo-terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{fs, thread};

use pointsman_tests::command;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use tokio::sync::watch;
use vt100::Parser;

/// Limit of a wait for the screen.
const PATIENCE: Duration = Duration::from_secs(60);
/// Shell script that runs a command, then prints its status and the terminal's modes. The shell
/// leads the terminal's session, so that the modes are those that the command left.
const SCRIPT: &str = "file=$1; shift; sh -c 'echo $$ >\"$0\"; exec \"$@\"' \"$file\" \"$@\"; \
                      echo \"status $?\"; stty -a; echo over";

/// Terminal with a command, which is killed when it is dropped.
pub struct Terminal {
    keys: File,
    leader: Child,
    process: PathBuf,
    seen: Arc<watch::Sender<TerminalOutput>>,
}

/// Output so far.
struct TerminalOutput {
    screen: Parser,
    bytes: Vec<u8>,
}

impl Terminal {
    /// Runs the gateway's binary in a terminal of this size.
    pub fn run(size: (u16, u16), arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("terminal-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let process = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let ours = openpt(flags).expect("a pseudo-terminal");
        grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("a pseudo-terminal of our own");
        let theirs = ioctl_tiocgptpeer(&ours, flags).expect("its other end");
        resize(&ours, size);
        let end = || theirs.try_clone().expect("a copy");
        let leader = Command::new("setsid")
            .args(["--ctty", "--wait", "sh", "-c", SCRIPT, "sh"])
            .arg(&process)
            .arg(command().get_program())
            .args(arguments)
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .envs(environment.iter().copied())
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .expect("setsid can be run");
        let [rows, columns] = [size.1, size.0].map(whole);
        let screen = Parser::new(rows, columns, 0);
        let seen = Arc::new(watch::Sender::new(TerminalOutput { screen, bytes: Vec::new() }));
        let keys = File::from(ours);
        read_output(keys.try_clone().expect("a copy"), Arc::clone(&seen));
        Self { keys, leader, process, seen }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// Resizes the terminal.
    pub fn resize(&self, size: (u16, u16)) {
        let [rows, columns] = [size.1, size.0].map(whole);
        self.seen.send_modify(|seen| seen.screen.screen_mut().set_size(rows, columns));
        resize(&self.keys, size);
    }

    /// Sends the command a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let process = fs::read_to_string(&self.process).expect("the process wrote its id");
        let sent = Command::new("kill").args(["-s", name, process.trim()]).status();
        assert!(sent.expect("kill can be run").success(), "the command still runs");
    }

    /// Waits until the screen has a text, and returns the screen.
    pub async fn wait_for_text(&self, text: &str) -> String {
        self.wait_for(text, |screen| screen.contains(text)).await
    }

    /// Waits until the screen no longer has a text, and returns the screen.
    pub async fn wait_until_gone(&self, text: &str) -> String {
        self.wait_for(text, |screen| !screen.contains(text)).await
    }

    /// Waits until the terminal does not show what is typed.
    pub async fn wait_until_hidden(&self) {
        let is_shown = || {
            let modes = tcgetattr(&self.keys).expect("the terminal has modes").local_modes;
            modes.contains(LocalModes::ECHO)
        };
        let hidden = async {
            while is_shown() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, hidden).await.expect("the terminal hides what is typed");
    }

    async fn wait_for(&self, text: &str, wanted: impl Fn(&str) -> bool) -> String {
        let mut seen = self.seen.subscribe();
        let wanted = seen.wait_for(|seen| wanted(&seen.screen.screen().contents()));
        let shown = tokio::time::timeout(PATIENCE, wanted).await.map(|seen| {
            let seen = seen.expect("the screen outlives its watchers");
            seen.screen.screen().contents()
        });
        shown.unwrap_or_else(|_| panic!("{text:?} is not as it should be on:\n{}", self.screen()))
    }

    /// Waits for the end of the command, and returns its exit status and the last screen. Panics
    /// unless the modes of the terminal are restored.
    pub async fn wait_for_exit(&self) -> (i32, String) {
        let screen = self.wait_for_text("\nover").await;
        let seen = self.seen.borrow();
        assert!(!seen.screen.screen().alternate_screen(), "the screen of before is back");
        assert!(!seen.screen.screen().hide_cursor(), "the cursor is back");
        for mode in ["icanon", "echo", "isig", "icrnl", "opost"] {
            let word = |screen: &str, mode: &str| screen.split([' ', ';', '\n']).any(|word| word == mode);
            assert!(word(&screen, mode) && !word(&screen, &format!("-{mode}")), "{mode}: {screen}");
        }
        let status = screen.lines().find_map(|line| line.strip_prefix("status ")).expect("a status");
        (status.trim().parse().expect("a number"), screen)
    }

    /// Returns the whole output so far.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.seen.borrow().bytes).into_owned()
    }

    fn screen(&self) -> String {
        self.seen.borrow().screen.screen().contents()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Ok(process) = fs::read_to_string(&self.process) {
            // It may have ended long ago.
            let _ = Command::new("kill").args(["-s", "KILL", process.trim()]).output();
        }
        let _ = self.leader.kill();
        let _ = self.leader.wait();
        let _ = fs::remove_file(&self.process);
    }
}

fn whole(length: u16) -> NonZero<u16> {
    NonZero::new(length).expect("a terminal has rows and columns")
}

fn resize(terminal: &impl std::os::fd::AsFd, (columns, rows): (u16, u16)) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).expect("a terminal has a size");
}

/// Reads output until no process has the terminal open any more.
fn read_output(mut terminal: File, seen: Arc<watch::Sender<TerminalOutput>>) {
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = terminal.read(&mut bytes) {
            seen.send_modify(|seen| {
                seen.screen.process(&bytes[..count]);
                seen.bytes.extend_from_slice(&bytes[..count]);
            });
        }
    });
}
