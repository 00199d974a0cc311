//! The gateway process of the demonstration, with its own configuration.

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
const DEFAULT: &str = include_str!("../../../host/config/src/default.toml");
const LIVE: &str = r#"
# Added for the demonstration: a policy in a file, which is replaced while the gateway runs.
[policies.live]
source = "live.wasm"
grants = ["prompt"]

[routes.live]
policy = "live"
"#;
/// The longest time that a swap may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The pause between two requests for the gateway's status.
const PAUSE: Duration = Duration::from_millis(10);

/// A running gateway. Dropping it stops the process.
pub struct Fleet {
    process: Child,
    client_url: String,
    admin_url: String,
    directory: PathBuf,
}

/// The headers of a response that report how it was produced.
pub struct RoutedAnswer {
    pub id: String,
    pub route: String,
    pub policy: String,
    pub model: String,
    pub latency_ms: f64,
    pub cost_usd: f64,
}

impl Fleet {
    /// Starts a gateway on free ports, and waits until it listens.
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
        let (Some(client_url), Some(admin_url)) = (address("listening on "), address("admin on ")) else {
            bail!("the gateway exited instead of listening: {}", process.wait()?);
        };
        Ok(Self { process, client_url, admin_url, directory })
    }

    /// The base URL for clients.
    pub fn client_url(&self) -> &str {
        &self.client_url
    }

    /// Sends a request to a route or a model.
    pub fn ask(&self, model: &str, request: &Request) -> Result<RoutedAnswer> {
        let mut post = ureq::post(format!("{}/v1/chat/completions", self.client_url))
            .config()
            .http_status_as_error(false)
            .build();
        for (name, value) in request.headers {
            post = post.header(*name, *value);
        }
        let mut response = post.send_json(request.body(model)).context("the gateway does not respond")?;
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
        ensure!(
            status.is_success(),
            "the request to `{model}` failed with {status}: {}",
            response.body_mut().read_to_string()?
        );
        Ok(answer)
    }

    /// Fetches the trace of a plan by the id of its request.
    pub fn plan(&self, id: &str) -> Result<Value> {
        let trace = ureq::get(format!("{}/admin/plans/{id}", self.admin_url)).call();
        Ok(trace.context("there is no trace of the plan")?.body_mut().read_json()?)
    }

    /// The base URL of the admin API.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// Sends an operation to the admin API, in the name of an operator.
    pub fn operate(&self, method: &str, path: &str, body: &Value) -> Result<()> {
        let url = format!("{}{path}", self.admin_url);
        let request = if method == "PUT" { ureq::put(&url) } else { ureq::post(&url) };
        let request = request.header("x-pointsman-operator", "alice");
        request.send_json(body).with_context(|| format!("{path} was refused"))?;
        Ok(())
    }

    /// The URL of a plan's chart, with `ID` for the request.
    pub fn plan_chart_url(&self) -> String {
        format!("{}/admin/plans/ID.svg", self.admin_url)
    }

    /// Replaces the file of the live policy by a rename, and waits until the gateway no longer
    /// serves the given version.
    pub fn replace_policy(&self, with: &Path, version: &str) -> Result<Duration> {
        let incoming = self.directory.join("incoming.wasm");
        fs::copy(with, &incoming)?;
        fs::rename(&incoming, self.directory.join("live.wasm"))?;
        let renamed = Instant::now();
        let old = version.split_once('@').map_or(version, |(_, digest)| digest);
        while self.live_digest()?.starts_with(old) {
            ensure!(renamed.elapsed() < PATIENCE, "the gateway did not swap the policy within {PATIENCE:?}");
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
            ureq::get(format!("{}/admin/policies", self.admin_url)).call()?.body_mut().read_json()?;
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
