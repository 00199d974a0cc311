//! Overhead of observability: the same requests through gateways with the metrics and history
//! that are always on, with the decision log and all spans, and with a hundred live pages in
//! addition. They take turns in short blocks, so that all see the same machine, and each block is
//! compared with that of the first gateway in the same turn.
//!
//! `cargo bench --workspace --bench seeing`, with `POINTSMAN_BIN` naming a release build.
//! `POINTSMAN_BIN_BEFORE` may name other builds, such as one from before a change, separated as
//! in `PATH`: they take their turns with the plainest configuration, and the first of them is the
//! reference of all.
#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench that cannot run has nothing to measure"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use pointsman_tests::collector::Collector;
use pointsman_tests::{Connection, FakeModel, Gateway, Step, client};
use serde_json::json;
use tokio::task::JoinHandle;

mod process;

use process::{cpu_seconds_by_thread, median};

/// Turns of one client, and its calls in each.
const TURNS: usize = 500;
const CALLS: usize = 20;
/// Turns of many clients, the number of clients, and the calls of each client in each turn.
const ROUNDS: usize = 15;
const CLIENTS: usize = 32;
const CALLS_EACH: usize = 150;
const PAGES: usize = 100;

/// Gateway under test, with its measurements from each of its turns.
struct MeasuredGateway {
    name: String,
    gateway: Gateway,
    latency_us: Vec<f64>,
    per_second: Vec<f64>,
    /// CPU time of the threads that serve requests.
    path_us: Vec<f64>,
    /// CPU time of all other threads.
    beside_us: Vec<f64>,
}

fn config(model: &FakeModel, isolation: &str, more: &str) -> String {
    let mut config =
        format!("[log]\nlevel = \"warn\"\n[backends.mock]\nbase_url = \"{}\"\n", model.base_url());
    for number in 0..10 {
        config += &format!(
            "[models.\"mock/bench-{number}\"]\ninput_price = {number}\noutput_price = 1\nquality = 0.5\n"
        );
    }
    config
        + &format!(
            "[policies.cost]\nsource = \"builtin:cost\"\nisolation = \"{isolation}\"\n\
             [routes.bench]\npolicy = \"cost\"\n{more}"
        )
}

fn body() -> Bytes {
    let message = json!({ "role": "user", "content": "why should a gateway add little?" });
    json!({ "model": "bench", "messages": [message] }).to_string().into()
}

impl MeasuredGateway {
    fn new(name: impl Into<String>, gateway: Gateway) -> Self {
        Self {
            name: name.into(),
            gateway,
            latency_us: Vec::new(),
            per_second: Vec::new(),
            path_us: Vec::new(),
            beside_us: Vec::new(),
        }
    }

    async fn one_client(&mut self, connection: &mut Connection, body: &Bytes) {
        let mut times = Vec::new();
        for _ in 0..CALLS {
            times.push(timed(connection, body).await.as_secs_f64() * 1e6);
        }
        self.latency_us.push(median(times));
    }

    async fn many_clients(&mut self, body: &Bytes) {
        let (path, beside) = self.cpu();
        let started = Instant::now();
        let clients: Vec<_> = (0..CLIENTS).map(|_| many(&self.gateway.base_url, body)).collect();
        for client in clients {
            client.await.expect("all calls are answered");
        }
        let calls = (CLIENTS * CALLS_EACH) as f64;
        self.per_second.push(calls / started.elapsed().as_secs_f64());
        let (path_now, beside_now) = self.cpu();
        self.path_us.push((path_now - path) / calls * 1e6);
        self.beside_us.push((beside_now - beside) / calls * 1e6);
    }

    fn cpu(&self) -> (f64, f64) {
        cpu_seconds_by_thread(self.gateway.process(), "tokio-rt-worker")
    }
}

/// Runs all gateways by turns, in another order each time.
async fn measure(gateways: &mut [MeasuredGateway], body: &Bytes) {
    for it in &mut *gateways {
        it.many_clients(body).await;
        (it.per_second, it.path_us, it.beside_us) = Default::default();
    }
    let mut connections = Vec::new();
    for it in &*gateways {
        connections.push(Connection::open(&it.gateway.base_url).await);
    }
    for turn in 0..TURNS {
        for at in order(turn, gateways.len()) {
            gateways[at].one_client(&mut connections[at], body).await;
        }
    }
    for turn in 0..ROUNDS {
        for at in order(turn, gateways.len()) {
            gateways[at].many_clients(body).await;
        }
    }
}

fn order(turn: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |at| (at + turn) % count)
}

async fn timed(connection: &mut Connection, body: &Bytes) -> Duration {
    let started = Instant::now();
    assert_eq!(connection.ask(body).await.status, 200);
    started.elapsed()
}

fn many(base_url: &str, body: &Bytes) -> JoinHandle<()> {
    let (base_url, body) = (base_url.to_owned(), body.clone());
    tokio::spawn(async move {
        let mut connection = Connection::open(&base_url).await;
        for _ in 0..CALLS_EACH {
            timed(&mut connection, &body).await;
        }
    })
}

/// Starts a live page that reads the stream of events.
fn page(gateway: &Gateway) -> JoinHandle<()> {
    let events = client::request(http::Method::GET, &gateway.admin("/admin/events"), &[], Bytes::new());
    tokio::spawn(async move {
        let mut stream = client::send(events).await;
        while let Some(Ok(_)) = stream.chunk().await {}
    })
}

fn fresh(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // The directory may be left over from an earlier run.
    let _ = std::fs::remove_dir_all(&directory);
    directory
}

/// Returns the median of some values and its uncertainty: the notch of a box plot (McGill, Tukey
/// and Larsen 1978), about its 95 % interval.
fn notched(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |share: usize| values[values.len() * share / 4];
    (at(2), 1.57 * (at(3) - at(1)) / (values.len() as f64).sqrt())
}

/// Returns the difference between turns and those of a reference.
fn differences(of: &[f64], from: &[f64]) -> (f64, f64) {
    notched(of.iter().zip(from).map(|(of, from)| of - from).collect())
}

/// Returns the relative difference in per cent.
fn changes(of: &[f64], from: &[f64]) -> (f64, f64) {
    notched(of.iter().zip(from).map(|(of, from)| (of / from - 1.0) * 100.0).collect())
}

fn print_results(gateways: &[MeasuredGateway]) {
    let first = &gateways[0];
    for it in gateways {
        let (added, added_by) = differences(&it.latency_us, &first.latency_us);
        let (faster, faster_by) = changes(&it.per_second, &first.per_second);
        let (path, path_by) = differences(&it.path_us, &first.path_us);
        println!(
            "  {:<14} p50 {:>6.1} µs ({added:>+5.1} ±{added_by:>4.1})   \
             {:>6.0} requests/s ({faster:>+5.1} ±{faster_by:>4.1} %)   \
             CPU on the path {:>6.1} µs ({path:>+5.1} ±{path_by:>4.1}), beside it {:>4.1} µs",
            it.name,
            median(it.latency_us.clone()),
            median(it.per_second.clone()),
            median(it.path_us.clone()),
            median(it.beside_us.clone()),
        );
    }
}

#[tokio::main]
async fn main() {
    let model = FakeModel::builder().forgetful().otherwise(|_| Step::answer("hello there")).start().await;
    let collector = Collector::scripted(FakeModel::builder().forgetful()).await;
    let before = std::env::var_os("POINTSMAN_BIN_BEFORE").unwrap_or_default();
    for isolation in ["fresh", "warm"] {
        let observed = |name: &str| {
            let directory = fresh(&format!("seeing-{name}-{isolation}"));
            let log = format!("[decision_log]\ndir = \"{}\"\n", directory.display());
            config(&model, isolation, &format!("{log}[traces]\nendpoint = \"{}\"\n", collector.endpoint()))
        };
        let plain = config(&model, isolation, "");
        let mut gateways = Vec::new();
        for binary in std::env::split_paths(&before).filter(|path| !path.as_os_str().is_empty()) {
            let name = binary.file_name().expect("a file").to_string_lossy().into_owned();
            gateways.push(MeasuredGateway::new(name, Gateway::start_binary(&binary, &plain).await));
        }
        gateways.push(MeasuredGateway::new("plain", Gateway::start(&plain).await));
        gateways.push(MeasuredGateway::new("log, spans", Gateway::start(&observed("observed")).await));
        let watched = Gateway::start(&observed("watched")).await;
        let pages: Vec<_> = (0..PAGES).map(|_| page(&watched)).collect();
        gateways.push(MeasuredGateway::new("and 100 pages", watched));

        measure(&mut gateways, &body()).await;
        println!("isolation {isolation}; changes against `{}`", gateways[0].name);
        print_results(&gateways);
        pages.iter().for_each(JoinHandle::abort);
    }
}
