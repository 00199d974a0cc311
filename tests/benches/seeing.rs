//! What it costs to be seen: the same requests through gateways that tell nothing
//! beyond what is always told, that write the decision log and send every span, and
//! that a hundred live pages listen to besides. They take turns, so that all see the
//! same machine.
//!
//! `cargo bench --workspace --bench seeing`, with `POINTSMAN_BIN` naming a release
//! build. `POINTSMAN_BIN_BEFORE` may name another build, such as one from before a
//! change, which is measured in the same turns with the plainest configuration.
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

use process::{cpu_seconds, median};

const ROUNDS: usize = 7;
const CALLS: usize = 1_000;
const CLIENTS: usize = 32;
const CALLS_EACH: usize = 250;
const PAGES: usize = 100;

/// One of the gateways, and what was measured of it in each round.
struct Seen {
    name: &'static str,
    gateway: Gateway,
    median_us: Vec<f64>,
    per_second: Vec<f64>,
    cpu_us: Vec<f64>,
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

impl Seen {
    fn new(name: &'static str, gateway: Gateway) -> Self {
        Self { name, gateway, median_us: Vec::new(), per_second: Vec::new(), cpu_us: Vec::new() }
    }

    /// One client, then many.
    async fn round(&mut self, body: &Bytes) {
        let mut connection = Connection::open(&self.gateway.base_url).await;
        let mut times = Vec::new();
        for _ in 0..CALLS {
            times.push(timed(&mut connection, body).await.as_secs_f64() * 1e6);
        }
        self.median_us.push(median(times));
        let (cpu, started) = (cpu_seconds(self.gateway.process()), Instant::now());
        let clients: Vec<_> = (0..CLIENTS).map(|_| many(&self.gateway.base_url, body)).collect();
        for client in clients {
            client.await.expect("all calls are answered");
        }
        let calls = (CLIENTS * CALLS_EACH) as f64;
        self.per_second.push(calls / started.elapsed().as_secs_f64());
        self.cpu_us.push((cpu_seconds(self.gateway.process()) - cpu) / calls * 1e6);
    }
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

/// A page that reads what happens and never says anything.
fn page(gateway: &Gateway) -> JoinHandle<()> {
    let events = client::request(http::Method::GET, &gateway.admin("/admin/events"), &[], Bytes::new());
    tokio::spawn(async move {
        let mut stream = client::send(events).await;
        while let Some(Ok(_)) = stream.chunk().await {}
    })
}

fn fresh(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // Of an earlier run, if there was one.
    let _ = std::fs::remove_dir_all(&directory);
    directory
}

/// By how much a value differs from another, in the median of the rounds.
fn change(values: &[f64], from: &[f64]) -> f64 {
    median(values.iter().zip(from).map(|(value, from)| value / from - 1.0).collect()) * 100.0
}

#[tokio::main]
async fn main() {
    let model = FakeModel::builder().forgetful().otherwise(|_| Step::answer("hello there")).start().await;
    let collector = Collector::scripted(FakeModel::builder().forgetful()).await;
    for isolation in ["fresh", "warm"] {
        let told = |name: &str| {
            let directory = fresh(&format!("seeing-{name}-{isolation}"));
            format!(
                "[decision_log]\ndir = \"{}\"\n[traces]\nendpoint = \"{}\"\n",
                directory.display(),
                collector.endpoint()
            )
        };
        let plain = config(&model, isolation, "");
        let mut seen = Vec::new();
        if let Some(before) = std::env::var_os("POINTSMAN_BIN_BEFORE") {
            seen.push(Seen::new("before", Gateway::start_binary(Path::new(&before), &plain).await));
        }
        seen.push(Seen::new("plain", Gateway::start(&plain).await));
        seen.push(Seen::new("log, spans", Gateway::start(&config(&model, isolation, &told("told"))).await));
        let watched = Gateway::start(&config(&model, isolation, &told("watched"))).await;
        let pages: Vec<_> = (0..PAGES).map(|_| page(&watched)).collect();
        seen.push(Seen::new("and 100 pages", watched));

        let body = body();
        for seen in &mut seen {
            seen.round(&body).await;
            (seen.median_us, seen.per_second, seen.cpu_us) = Default::default();
        }
        for round in 0..ROUNDS {
            let order = (0..seen.len()).map(|at| (at + round) % seen.len());
            for at in order.collect::<Vec<_>>() {
                seen[at].round(&body).await;
            }
        }
        println!("isolation {isolation}; medians of {ROUNDS} rounds, changes against `{}`", seen[0].name);
        for it in &seen {
            let added: Vec<f64> =
                it.median_us.iter().zip(&seen[0].median_us).map(|(it, first)| it - first).collect();
            println!(
                "  {:<14} p50 {:>6.1} µs ({:>+5.1})   {:>6.0} requests/s ({:>+5.1} %)   CPU {:>6.1} µs ({:>+5.1} %)",
                it.name,
                median(it.median_us.clone()),
                median(added),
                median(it.per_second.clone()),
                change(&it.per_second, &seen[0].per_second),
                median(it.cpu_us.clone()),
                change(&it.cpu_us, &seen[0].cpu_us),
            );
        }
        pages.iter().for_each(JoinHandle::abort);
    }
}
