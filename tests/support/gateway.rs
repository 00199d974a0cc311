//! Gateway as a process.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use crate::planted;

const CLIENTS: &str = "listening on ";
const ADMIN: &str = "admin on ";
/// Limit of the wait for the last output of a gateway after its end.
const PATIENCE: Duration = Duration::from_secs(5);
/// Limit of the wait for a text in the log.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Running gateway with its own configuration. Killed when dropped, which fails the test if its
/// output contains anything [planted](crate::planted).
#[derive(Debug)]
pub struct Gateway {
    /// Address of the client listener: `http://127.0.0.1:PORT`.
    pub base_url: String,
    /// Address of the admin listener.
    pub admin_url: String,
    config: PathBuf,
    directory: PathBuf,
    process: u32,
    /// Process; `None` once it was stopped.
    child: Option<Child>,
    log: Log,
    /// Closed once its whole output was read.
    read: Mutex<mpsc::Receiver<()>>,
}

/// Output of the gateway so far; notifies its watchers of each line.
#[derive(Clone, Debug)]
struct Log(Arc<watch::Sender<String>>);

impl Gateway {
    /// Starts `pointsman serve` with a configuration, on ports that the system picks. Panics with
    /// its log if it ends instead of listening.
    pub async fn start(config: &str) -> Self {
        Self::start_with(config, &[]).await
    }

    /// Starts a gateway with environment variables.
    pub async fn start_with(config: &str, environment: &[(&str, &str)]) -> Self {
        let directory = fresh_directory();
        let path = directory.join("pointsman.toml");
        fs::write(&path, config).expect("the config file can be written");
        let mut serve = serve(&binary());
        serve.arg("--config").arg(&path).envs(environment.iter().copied());
        Self::spawn(serve, directory, path).await
    }

    /// Starts `pointsman serve` in a directory with a `pointsman.toml` and the files that it
    /// refers to. The directory is removed when the gateway is dropped.
    pub async fn start_in(directory: PathBuf) -> Self {
        let path = directory.join("pointsman.toml");
        let mut serve = serve(&binary());
        serve.arg("--config").arg(&path);
        Self::spawn(serve, directory, path).await
    }

    /// Starts a gateway without a configuration: the embedded default is served.
    pub async fn start_embedded() -> Self {
        let directory = fresh_directory();
        let path = directory.join("no-such-file.toml");
        Self::spawn(serve(&binary()), directory, path).await
    }

    /// Starts a gateway from another build.
    pub async fn start_binary(binary: &Path, config: &str) -> Self {
        let directory = fresh_directory();
        let path = directory.join("pointsman.toml");
        fs::write(&path, config).expect("the config file can be written");
        let mut serve = serve(binary);
        serve.arg("--config").arg(&path);
        Self::spawn(serve, directory, path).await
    }

    /// Starts a gateway whose standard error is not a pipe that is read.
    pub async fn start_with_stderr(config: &str, stderr: impl Into<Stdio>) -> Self {
        let directory = fresh_directory();
        let path = directory.join("pointsman.toml");
        fs::write(&path, config).expect("the config file can be written");
        let mut serve = serve(&binary());
        serve.arg("--config").arg(&path);
        Self::spawn_with_stderr(serve, directory, path, stderr.into()).await
    }

    async fn spawn(serve: Command, directory: PathBuf, path: PathBuf) -> Self {
        Self::spawn_with_stderr(serve, directory, path, Stdio::piped()).await
    }

    async fn spawn_with_stderr(mut serve: Command, directory: PathBuf, path: PathBuf, stderr: Stdio) -> Self {
        let mut child = serve
            .current_dir(&directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("the gateway's binary can be run");
        let log = Log(Arc::new(watch::Sender::new(String::new())));
        let (reading, read) = mpsc::channel();
        let stdout = child.stdout.take().expect("stdout is piped");
        let addresses = read_addresses(stdout, log.clone(), reading.clone());
        // The command holds its end of a pipe open.
        drop(serve);
        if let Some(stderr) = child.stderr.take() {
            follow(stderr, log.clone(), reading);
        }
        let Ok((base_url, admin_url)) = addresses.await else {
            let _ = child.kill();
            let status = child.wait();
            panic!("the gateway did not start: {status:?}\n{}", log.text());
        };
        Self {
            base_url,
            admin_url,
            config: path,
            directory,
            process: child.id(),
            child: Some(child),
            log,
            read: Mutex::new(read),
        }
    }

    /// Returns the address of an endpoint for clients.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// Returns the address of an admin endpoint.
    pub fn admin(&self, path: &str) -> String {
        format!("{}{path}", self.admin_url)
    }

    /// Returns the path of its configuration, for changes.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Returns the directory of its configuration, which is removed when the gateway is dropped.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns its output to stdout and stderr so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Waits until its log contains a text.
    pub async fn logged(&self, text: &str) {
        self.logged_times(text, 1).await;
    }

    /// Waits until its log contains a text `times` times. The log is written asynchronously.
    pub async fn logged_times(&self, text: &str, times: usize) {
        let mut log = self.log.0.subscribe();
        let is_enough = |log: &String| log.matches(text).count() >= times;
        match tokio::time::timeout(LONGEST_WAIT, log.wait_for(is_enough)).await {
            Ok(found) => _ = found.expect("the log outlives its watchers"),
            Err(_) => panic!("the log has no `{text}` ({times} times) after {} s", LONGEST_WAIT.as_secs()),
        }
    }

    /// Returns its process id.
    pub fn process(&self) -> u32 {
        self.process
    }

    /// Sends a signal, such as `HUP`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.process.to_string()]).status();
        assert!(sent.expect("kill can be run").success(), "the gateway still runs");
    }

    /// Requests a shutdown, and waits for its end.
    pub async fn stop(self) -> ExitStatus {
        self.signal("TERM");
        self.ended().await
    }

    /// Waits for its end, which has to be caused otherwise.
    pub async fn ended(mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it ends once only");
        let ended = tokio::task::spawn_blocking(move || child.wait()).await;
        ended.expect("waiting does not panic").expect("the gateway is a child process")
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        // A child of its own that compiles may have its pipes a little longer.
        let read = self.read.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = read.recv_timeout(PATIENCE);
        let _ = fs::remove_file(&self.config);
        let (log, files) = (planted::in_text(&self.log.text()), planted::in_files(&self.directory));
        let _ = fs::remove_dir_all(&self.directory);
        if thread::panicking() {
            self.log.show();
            return;
        }
        assert!(log.is_none(), "the gateway wrote what it may not tell: {log:?}");
        assert!(files.is_empty(), "the gateway kept what it may not keep: {files:?}");
    }
}

impl Log {
    fn add(&self, line: &str) {
        self.0.send_modify(|log| {
            log.push_str(line);
            log.push('\n');
        });
    }

    fn text(&self) -> String {
        self.0.borrow().clone()
    }

    #[expect(clippy::print_stderr, reason = "the log of a failed test explains it")]
    fn show(&self) {
        eprintln!("--- the gateway's log ---\n{}", self.text());
    }
}

/// Reads the addresses that the gateway prints, then continues reading so that it never waits for
/// a full pipe.
fn read_addresses(
    stdout: impl Read + Send + 'static,
    log: Log,
    reading: mpsc::Sender<()>,
) -> oneshot::Receiver<(String, String)> {
    let (send, receive) = oneshot::channel();
    thread::spawn(move || {
        let mut send = Some(send);
        let (mut clients, mut admin) = (None, None);
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            log.add(&line);
            clients = clients.or_else(|| address(&line, CLIENTS));
            admin = admin.or_else(|| address(&line, ADMIN));
            if let (Some(clients), Some(admin)) = (&clients, &admin)
                && let Some(send) = send.take()
            {
                let _ = send.send((clients.clone(), admin.clone()));
            }
        }
        drop(reading);
    });
    receive
}

fn follow(stderr: impl Read + Send + 'static, log: Log, reading: mpsc::Sender<()>) {
    thread::spawn(move || {
        BufReader::new(stderr).lines().map_while(Result::ok).for_each(|line| log.add(&line));
        drop(reading);
    });
}

fn address(line: &str, label: &str) -> Option<String> {
    let (_, rest) = line.split_once(label)?;
    rest.split_whitespace().next().map(|url| url.trim_end_matches('/').to_owned())
}

/// Returns a command with the gateway's binary.
pub fn command() -> Command {
    of(&binary())
}

fn of(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    command.env(planted::BACKEND_KEY_ENV, planted::BACKEND_KEY).env("POINTSMAN_CACHE", "");
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(variable).env_remove(variable.to_lowercase());
    }
    command
}

fn serve(binary: &Path) -> Command {
    let mut serve = of(binary);
    serve.args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    serve
}

/// Returns `POINTSMAN_BIN`, or else the binary that was built beside the running test.
fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("POINTSMAN_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().expect("the test has a path");
    let built = test.parent().and_then(Path::parent).expect("tests are built into target/*/deps");
    let binary = built.join("pointsman");
    assert!(binary.exists(), "{} is missing: run cargo build first", binary.display());
    binary
}

/// Creates an empty directory for one test.
pub fn fresh_directory() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("pointsman-test-{}-{count}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    fs::create_dir_all(&directory).expect("a directory for the test");
    directory
}
