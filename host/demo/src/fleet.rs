//! The gateway process of the demonstration, with its own configuration.

use std::fs::{self, DirBuilder, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pointsman_terminal::CommandError;
use serde_json::Value;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use ureq::Agent;

use crate::requests::Request;

/// Added to the default configuration: a policy in a file, which is replaced while the gateway runs.
const LIVE: &str = r#"
[policies.live]
source = "live.wasm"
grants = ["prompt"]

[routes.live]
policy = "live"
"#;
/// Added to every policy: on a busy machine, none is late.
const DEADLINE: &str = "limits.deadline = \"5s\"\n";
/// Beginnings of the lines with the addresses.
const ADDRESSES: [&str; 2] = ["listening on ", "admin on "];
/// The longest time that a swap may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest time for one request.
const CALL: Duration = Duration::from_secs(60);
/// The pause between two requests for the gateway's status.
const PAUSE: Duration = Duration::from_millis(10);
/// Lines of the gateway's log that an error shows.
const LOG_LINES: usize = 10;

/// A running gateway. Dropping it stops the process and removes its files.
#[derive(Debug)]
pub struct Fleet {
    process: Child,
    client_url: String,
    admin_url: String,
    directory: Directory,
    agent: Agent,
    events: Mutex<Receiver<Event>>,
}

/// Parts of a fleet.
#[derive(Clone, Copy, Debug)]
pub struct FleetFiles<'a> {
    /// The program, for `pointsman serve`.
    pub program: &'a Path,
    /// Configuration with simulated models.
    pub default_config: &'a str,
    /// First policy of the route `live`.
    pub live: &'a [u8],
}

/// The headers of a response that report how it was produced.
#[derive(Clone, Debug)]
pub struct RoutedAnswer {
    /// Id of the decision.
    pub id: String,
    /// Label of the decision.
    pub route: String,
    /// Version of the policy.
    pub policy: String,
    /// Model that answered.
    pub model: String,
    /// Time of the answer.
    pub latency_ms: f64,
    /// Cost of all calls.
    pub cost_usd: f64,
}

/// Something that ends the demonstration.
#[derive(Clone, Copy, Debug)]
enum Event {
    Interrupted,
    GatewayEnded,
}

/// A directory for this user alone, removed when dropped.
#[derive(Debug)]
struct Directory(PathBuf);

impl Fleet {
    /// Starts a gateway on free ports of loopback, and waits until it listens.
    ///
    /// # Errors
    /// Fails with the end of its log if it ends instead.
    pub fn start(files: &FleetFiles<'_>) -> Result<Self, CommandError> {
        let directory = Directory::create().map_err(|error| failure("cannot create a folder", &error))?;
        let write = |name: &str, bytes: &[u8]| {
            let path = directory.0.join(name);
            fs::write(&path, bytes).map(|()| path).map_err(|error| failure("cannot write a file", &error))
        };
        write("live.wasm", files.live)?;
        let config = write("pointsman.toml", configuration(files.default_config).as_bytes())?;
        let log = File::create(directory.log()).map_err(|error| failure("cannot write the log", &error))?;
        let (events, received) = mpsc::channel();
        watch_signals(events.clone())?;
        let mut process = Command::new(files.program)
            .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--config"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            // Ctrl-C ends the demonstration, which ends the gateway.
            .process_group(0)
            .spawn()
            .map_err(|error| failure("cannot start the gateway", &error))?;
        let addresses = process.stdout.take().map(|output| addresses(output, events));
        let Some([client_url, admin_url]) = addresses.flatten() else {
            let _ = process.kill();
            let _ = process.wait();
            return Err(directory.failure("the gateway ended instead of listening"));
        };
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(CALL))
            .build()
            .into();
        Ok(Self { process, client_url, admin_url, directory, agent, events: Mutex::new(received) })
    }

    /// Returns the base URL for clients.
    pub fn client_url(&self) -> &str {
        &self.client_url
    }

    /// Returns the base URL of the admin API.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// Sends a request to a route or a model.
    ///
    /// # Errors
    /// Fails without an answer, or if the demonstration was interrupted.
    pub fn ask(&self, model: &str, request: &Request) -> Result<RoutedAnswer, CommandError> {
        self.check_events()?;
        let mut post = self.agent.post(format!("{}/v1/chat/completions", self.client_url));
        for (name, value) in request.headers {
            post = post.header(*name, *value);
        }
        let response = post.send_json(request.body(model));
        let mut response = response.map_err(|error| self.no_response(&error))?;
        let header = |name: &str| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or("-").to_owned()
        };
        let answer = RoutedAnswer {
            id: header("x-pointsman-decision-id"),
            route: header("x-pointsman-route"),
            policy: header("x-pointsman-policy"),
            model: header("x-pointsman-model"),
            latency_ms: header("x-pointsman-latency-ms").parse().unwrap_or(f64::NAN),
            cost_usd: header("x-pointsman-cost-usd").parse().unwrap_or(f64::NAN),
        };
        let status = response.status();
        // A response is read to its end before the next request.
        let body = response.body_mut().read_to_string().map_err(|error| self.no_response(&error))?;
        if !status.is_success() {
            return Err(self
                .directory
                .failure(&format!("the request to `{model}` failed with {status}: {body}")));
        }
        Ok(answer)
    }

    /// Fetches the trace of a plan by the id of its request.
    ///
    /// # Errors
    /// Fails if there is none.
    pub fn plan(&self, id: &str) -> Result<Value, CommandError> {
        self.get(&format!("/admin/plans/{id}"))
    }

    /// Sends an operation to the admin API, in the name of an operator.
    ///
    /// # Errors
    /// Fails if the gateway rejects it.
    pub fn operate(&self, method: &str, path: &str, body: &Value) -> Result<(), CommandError> {
        let url = format!("{}{path}", self.admin_url);
        let request = if method == "PUT" { self.agent.put(&url) } else { self.agent.post(&url) };
        let response = request.header("x-pointsman-operator", "alice").send_json(body);
        let status = response.map_err(|error| self.no_response(&error))?.status();
        match status.is_success() {
            true => Ok(()),
            false => Err(CommandError::run(format_args!("{path} was refused with status {status}"))),
        }
    }

    /// Replaces the file of the live policy by a rename, and waits until the gateway no longer
    /// serves the given version. Returns the time that this took.
    ///
    /// # Errors
    /// Fails if the gateway does not swap the policy in time.
    pub fn replace_policy(&self, with: &[u8], version: &str) -> Result<Duration, CommandError> {
        let incoming = self.directory.0.join("incoming.wasm");
        fs::write(&incoming, with)
            .and_then(|()| fs::rename(&incoming, self.directory.0.join("live.wasm")))
            .map_err(|error| failure("cannot replace the policy", &error))?;
        let renamed = Instant::now();
        let old = version.split_once('@').map_or(version, |(_, digest)| digest);
        while self.live_digest()?.starts_with(old) {
            if renamed.elapsed() > PATIENCE {
                let message = format!("the gateway did not swap the policy within {PATIENCE:?}");
                return Err(self.directory.failure(&message));
            }
            let event = self.events().recv_timeout(PAUSE);
            if let Ok(event) = event {
                return Err(self.ended_by(event));
            }
        }
        Ok(renamed.elapsed())
    }

    /// Serves until the command is interrupted.
    ///
    /// # Errors
    /// Fails if the gateway ends.
    pub fn wait(&self) -> Result<(), CommandError> {
        let event = self.events().recv();
        match event {
            Ok(Event::Interrupted) => Ok(()),
            Ok(Event::GatewayEnded) | Err(_) => Err(self.ended_by(Event::GatewayEnded)),
        }
    }

    fn get(&self, path: &str) -> Result<Value, CommandError> {
        let response = self.agent.get(format!("{}{path}", self.admin_url)).call();
        let mut response = response.map_err(|error| self.no_response(&error))?;
        let status = response.status();
        match status.is_success() {
            true => response.body_mut().read_json().map_err(|error| self.no_response(&error)),
            false => Err(CommandError::run(format_args!("GET {path} failed with status {status}"))),
        }
    }

    fn live_digest(&self) -> Result<String, CommandError> {
        let status = self.get("/admin/policies")?;
        let policies = status["policies"].as_array().map_or(&[][..], Vec::as_slice);
        let live = policies.iter().find(|policy| policy["name"] == "live");
        Ok(live.and_then(|live| live["active"].as_str()).unwrap_or_default().to_owned())
    }

    fn check_events(&self) -> Result<(), CommandError> {
        let event = self.events().recv_timeout(Duration::ZERO);
        match event {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Ok(event) => Err(self.ended_by(event)),
            Err(RecvTimeoutError::Disconnected) => Err(self.ended_by(Event::GatewayEnded)),
        }
    }

    fn events(&self) -> MutexGuard<'_, Receiver<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended_by(&self, event: Event) -> CommandError {
        match event {
            Event::Interrupted => CommandError::run("interrupted"),
            Event::GatewayEnded => self.directory.failure("the gateway ended"),
        }
    }

    fn no_response(&self, error: &ureq::Error) -> CommandError {
        self.directory.failure(&format!("the gateway does not answer: {error}"))
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Directory {
    fn create() -> std::io::Result<Self> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!("pointsman-demo-{}-{}", std::process::id(), since.as_nanos());
        let path = std::env::temp_dir().join(name);
        // Fails if somebody else has made it.
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    fn log(&self) -> PathBuf {
        self.0.join("gateway.log")
    }

    /// Returns a failure of the gateway with the end of its log.
    fn failure(&self, message: &str) -> CommandError {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let end = lines.get(lines.len().saturating_sub(LOG_LINES)..).unwrap_or_default();
        let log =
            if end.is_empty() { String::new() } else { format!("\nits log ends with:\n{}", end.join("\n")) };
        CommandError::Run(format!("error: {message}{log}"))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn failure(message: &str, error: &std::io::Error) -> CommandError {
    CommandError::run(format_args!("{message}: {error}"))
}

/// Returns the configuration of the demonstration.
fn configuration(default: &str) -> String {
    let mut text = String::new();
    for line in default.lines().chain(LIVE.lines()) {
        text.push_str(line);
        text.push('\n');
        if line.starts_with("[policies.") {
            text.push_str(DEADLINE);
        }
    }
    text
}

/// Reports signals that end the command as events.
fn watch_signals(events: Sender<Event>) -> Result<(), CommandError> {
    let mut signals =
        Signals::new([SIGINT, SIGTERM]).map_err(|error| failure("cannot handle signals", &error))?;
    thread::spawn(move || {
        for _ in &mut signals {
            if events.send(Event::Interrupted).is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// Reads the addresses that the gateway prints, and reports the end of its output. `None` if it ends before.
fn addresses(output: impl std::io::Read + Send + 'static, events: Sender<Event>) -> Option<[String; 2]> {
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let mut find = |prefix: &str| lines.find_map(|line| line.strip_prefix(prefix).map(str::to_owned));
    let found = [find(ADDRESSES[0])?, find(ADDRESSES[1])?];
    // The rest is read too, so that the gateway can always write.
    thread::spawn(move || {
        lines.by_ref().for_each(drop);
        let _ = events.send(Event::GatewayEnded);
    });
    Some(found)
}
