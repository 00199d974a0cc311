//! The gateway of the demonstration, as a process with a configuration of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::requests::Request;
use crate::cargo::{self, Gateway};

/// The embedded default, and one route whose policy can be replaced.
const DEFAULT: &str = include_str!("../../../host/gateway/src/config/default.toml");
const LIVE: &str = r#"
# Added for the demonstration: a policy in a file, which is replaced meanwhile.
[policies.live]
source = "live.wasm"
grants = ["prompt"]

[routes.live]
policy = "live"
"#;
/// Longest time that a swap may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Pause between two looks at the gateway's status.
const PAUSE: Duration = Duration::from_millis(10);

/// A running gateway, stopped when dropped.
pub struct Fleet {
    process: Child,
    clients: String,
    admin: String,
    directory: PathBuf,
}

/// What the headers of an answer tell.
pub struct Answer {
    pub id: String,
    pub route: String,
    pub policy: String,
    pub model: String,
    pub latency_ms: f64,
    pub cost_usd: f64,
}

impl Fleet {
    /// Starts it on free ports, and waits until it listens.
    pub fn start(gateway: &Gateway) -> Result<Self> {
        let directory = cargo::root().join("target/demo");
        fs::create_dir_all(&directory)?;
        fs::copy(gateway.policies.join("cost.wasm"), directory.join("live.wasm"))
            .context("cannot copy a policy")?;
        let config = directory.join("pointsman.toml");
        fs::write(&config, format!("{DEFAULT}{LIVE}"))?;
        let log = directory.join("gateway.log");
        println!("The gateway's log goes to {}.", log.display());
        let mut process = Command::new(&gateway.binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--config"])
            .arg(&config)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log)?)
            .spawn()
            .with_context(|| format!("cannot start {}", gateway.binary.display()))?;
        let stdout = process.stdout.take().context("the gateway has no output")?;
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let mut address = |prefix| lines.find_map(|line| line.strip_prefix(prefix).map(str::to_owned));
        let (Some(clients), Some(admin)) = (address("listening on "), address("admin on ")) else {
            bail!("the gateway ended instead of listening: {}", process.wait()?);
        };
        Ok(Self { process, clients, admin, directory })
    }

    /// Where clients call it.
    pub fn clients(&self) -> &str {
        &self.clients
    }

    /// Sends a request to a route or a model.
    pub fn ask(&self, model: &str, request: &Request) -> Result<Answer> {
        let mut post = ureq::post(format!("{}/v1/chat/completions", self.clients))
            .config()
            .http_status_as_error(false)
            .build();
        for (name, value) in request.headers {
            post = post.header(*name, *value);
        }
        let mut response = post.send_json(request.body(model)).context("the gateway does not answer")?;
        let header = |name: &str| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or("-").to_owned()
        };
        let answer = Answer {
            id: header("x-pointsman-decision-id"),
            route: header("x-pointsman-route"),
            policy: header("x-pointsman-policy"),
            model: header("x-pointsman-model"),
            latency_ms: header("x-pointsman-latency-ms").parse().unwrap_or(f64::NAN),
            cost_usd: header("x-pointsman-cost-usd").parse().unwrap_or(f64::NAN),
        };
        let status = response.status();
        ensure!(
            status.is_success(),
            "`{model}` answered {status}: {}",
            response.body_mut().read_to_string()?
        );
        Ok(answer)
    }

    /// How the plan of an answer went.
    pub fn plan(&self, id: &str) -> Result<Value> {
        let trace = ureq::get(format!("{}/admin/plans/{id}", self.admin)).call();
        Ok(trace.context("there is no trace of the plan")?.body_mut().read_json()?)
    }

    /// Where it is administered.
    pub fn admin(&self) -> &str {
        &self.admin
    }

    /// Changes what serves, in the name of an operator.
    pub fn operate(&self, method: &str, path: &str, body: &Value) -> Result<()> {
        let url = format!("{}{path}", self.admin);
        let request = if method == "PUT" { ureq::put(&url) } else { ureq::post(&url) };
        let request = request.header("x-pointsman-operator", "alice");
        request.send_json(body).with_context(|| format!("{path} was refused"))?;
        Ok(())
    }

    /// Where plans are drawn.
    pub fn plans(&self) -> String {
        format!("{}/admin/plans/ID.svg", self.admin)
    }

    /// Renames a new policy into the place of the live one, and waits until it
    /// has taken over from the given version.
    pub fn replace_policy(&self, with: &Path, version: &str) -> Result<Duration> {
        let incoming = self.directory.join("incoming.wasm");
        fs::copy(with, &incoming)?;
        fs::rename(&incoming, self.directory.join("live.wasm"))?;
        let renamed = Instant::now();
        let old = version.split_once('@').map_or(version, |(_, digest)| digest);
        while self.live_digest()?.starts_with(old) {
            ensure!(renamed.elapsed() < PATIENCE, "the policy was not swapped within {PATIENCE:?}");
            std::thread::sleep(PAUSE);
        }
        Ok(renamed.elapsed())
    }

    /// Serves until the process ends.
    pub fn wait(&mut self) -> Result<()> {
        self.process.wait()?;
        Ok(())
    }

    fn live_digest(&self) -> Result<String> {
        let status: Value =
            ureq::get(format!("{}/admin/policies", self.admin)).call()?.body_mut().read_json()?;
        let policies = status["policies"].as_array().context("the status lists no policies")?;
        let live =
            policies.iter().find(|policy| policy["name"] == "live").context("the policy `live` is gone")?;
        Ok(live["active"].as_str().unwrap_or_default().to_owned())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
