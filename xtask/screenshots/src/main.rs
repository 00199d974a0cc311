//! The pictures of the live page in `docs/images`, for `cargo xtask screenshots`.
#![expect(clippy::print_stdout, reason = "tasks print to the terminal")]
#![expect(
    clippy::disallowed_methods,
    reason = "the pauses of people are part of the pictures; the ban is for the gateway"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use clap::Parser;
use pointsman_demo::fleet::{Fleet, FleetFiles};
use pointsman_demo::requests::{DOZEN, ORCHESTRATED, SWAPPED};
use serde_json::json;

/// Configuration of the fleet.
const DEFAULT_CONFIG: &str = include_str!("../../../host/config/src/default.toml");
/// Concurrent clients.
const CLIENTS: u32 = 6;
/// The average pause of a client between two requests.
const PAUSE: Duration = Duration::from_millis(280);
/// The time constant of the waves in the request rate.
const WAVE: Duration = Duration::from_secs(22);
/// One in this many requests is split into tasks.
const REQUESTS_PER_PLAN: usize = 30;

/// A deterministic source of numbers, so that each run sends the same requests.
struct Sequence(u32);

/// Takes the pictures of the live page, after some minutes of load.
#[derive(Parser)]
struct Args {
    /// Seconds of load before the pictures are taken
    #[arg(long)]
    seconds: u64,
    /// The gateway
    #[arg(long)]
    binary: PathBuf,
    /// Directory of the built-in policies
    #[arg(long)]
    policies: PathBuf,
    /// Packages from npm
    #[arg(long)]
    node_modules: PathBuf,
    /// The browser
    #[arg(long)]
    chromium: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let live = policy(&args.policies, "cost")?;
    let files = FleetFiles { program: &args.binary, default_config: DEFAULT_CONFIG, live: &live };
    let fleet = Fleet::start(&files).map_err(|error| anyhow!("{error}"))?;
    let stop = AtomicBool::new(false);
    println!("Sending requests for {} s: see {}/", args.seconds, fleet.admin_url());
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (fleet, stop) = (&fleet, &stop);
            scope.spawn(move || send(fleet, client, stop));
        }
        let pictures = operate(&fleet, &args.policies, Duration::from_secs(args.seconds)).and_then(|()| {
            let mut script = Command::new("node");
            script
                .arg(root().join("tests/clients/screenshots.mjs"))
                .arg(&args.node_modules)
                .arg(root().join("docs/images"))
                .env("POINTSMAN_TEST_CHROMIUM", &args.chromium)
                .env("POINTSMAN_ADMIN", fleet.admin_url());
            ensure!(script.status().context("cannot run node")?.success(), "the pictures were not taken");
            Ok(())
        });
        stop.store(true, Ordering::Relaxed);
        pictures
    })
}

/// The workspace's root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."))
}

/// Reads a built-in policy.
fn policy(policies: &Path, name: &str) -> Result<Vec<u8>> {
    let path = policies.join(format!("{name}.wasm"));
    std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// Sends the requests of one client until `stop` is set.
fn send(fleet: &Fleet, client: u32, stop: &AtomicBool) {
    let begun = Instant::now();
    let mut sequence = Sequence(client);
    while !stop.load(Ordering::Relaxed) {
        let plain = match sequence.below(5) {
            0 => &SWAPPED,
            _ => &DOZEN[sequence.below(DOZEN.len())],
        };
        let request = match sequence.below(REQUESTS_PER_PLAN) {
            0 => &ORCHESTRATED[sequence.below(ORCHESTRATED.len())],
            _ => plain,
        };
        // Failed requests are part of the picture.
        let _ = fleet.ask(request.route, request);
        let wave = 1.4 + (begun.elapsed().as_secs_f64() / WAVE.as_secs_f64()).sin();
        std::thread::sleep(PAUSE.mul_f64(wave * (0.3 + sequence.below(100) as f64 / 70.0)));
    }
}

impl Sequence {
    /// Returns the next number below a limit (a linear congruential generator).
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as usize % limit
    }
}

/// Runs an operator's operations, spread over the time.
fn operate(fleet: &Fleet, policies: &Path, time: Duration) -> Result<()> {
    let begun = Instant::now();
    let at = |share: u32| std::thread::sleep((time * share / 100).saturating_sub(begun.elapsed()));
    at(25);
    let canary =
        json!({ "policy": "performance", "mode": "canary", "percent": 20, "why": "is it worth its price?" });
    let operate = |method: &str, path: &str, body| {
        fleet.operate(method, path, &body).map_err(|error| anyhow!("{error}"))
    };
    operate("PUT", "/admin/routes/cost/trial", canary)?;
    at(45);
    let before = fleet.ask(SWAPPED.route, &SWAPPED).map_err(|error| anyhow!("{error}"))?;
    let next = policy(policies, "task-type")?;
    fleet.replace_policy(&next, &before.policy).map_err(|error| anyhow!("{error}"))?;
    at(70);
    operate("POST", "/admin/routes/cost/promote", json!({ "why": "a third faster at the same price" }))?;
    at(85);
    operate("POST", "/admin/policies/live/rollback", json!({ "why": "too dear for short questions" }))?;
    at(100);
    Ok(())
}
