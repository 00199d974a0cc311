//! Overhead of the gateway for a call: each request goes to a model directly and through the
//! gateway by turns, so that both see the same machine.
//!
//! `cargo bench --workspace --bench gateway`, with `POINTSMAN_BIN` naming a release build. Model,
//! clients and gateway share the machine's cores: the figures to read are the added time at one
//! client, and the gateway's own CPU time for each request, which does not depend on other
//! processes.
#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench that cannot run has nothing to measure"
)]

use std::time::{Duration, Instant};

use bytes::Bytes;
use pointsman_tests::{Connection, FakeModel, Gateway, Step};
use serde_json::json;

mod process;

use process::{cpu_seconds, median};

const ROUNDS: usize = 5;
const CALLS: usize = 1_000;
const CLIENTS: usize = 64;
const CALLS_EACH: usize = 300;

async fn timed(connection: &mut Connection, body: &Bytes) -> Duration {
    let started = Instant::now();
    assert_eq!(connection.ask(body).await.status, 200);
    started.elapsed()
}

/// Kind of request.
struct Load {
    name: &'static str,
    calls: usize,
    body: Bytes,
}

fn loads() -> [Load; 4] {
    let ask = |text: &str, stream: bool| {
        let message = json!({ "role": "user", "content": text });
        Bytes::from(json!({ "model": "bench", "stream": stream, "messages": [message] }).to_string())
    };
    let picture = json!({ "type": "image_url", "image_url": { "url": format!("data:image/png;base64,{}", "A".repeat(4 << 20)) } });
    let message =
        json!({ "role": "user", "content": [{ "type": "text", "text": "what is this?" }, picture] });
    let picture = Bytes::from(json!({ "model": "bench", "messages": [message] }).to_string());
    [
        Load { name: "small", calls: CALLS, body: ask("why should a gateway add little?", false) },
        Load { name: "100 KB", calls: CALLS / 4, body: ask(&"policy latency token ".repeat(5_000), false) },
        Load { name: "4 MB image", calls: CALLS / 20, body: picture },
        Load { name: "stream of 64", calls: CALLS / 4, body: ask("stream", true) },
    ]
}

fn config(model: &FakeModel, isolation: &str) -> String {
    let mut config =
        format!("[log]\nlevel = \"warn\"\n[backends.mock]\nbase_url = \"{}\"\n", model.base_url());
    for number in 0..10 {
        config += &format!(
            "[models.\"mock/bench-{number}\"]\ninputs = [\"text\", \"image\"]\ninput_price = {number}\noutput_price = 1\nquality = 0.5\n"
        );
    }
    config
        + &format!(
            "[policies.cost]\nsource = \"builtin:cost\"\nisolation = \"{isolation}\"\n[routes.bench]\npolicy = \"cost\"\n"
        )
}

fn micros(times: &[Duration]) -> f64 {
    median(times.iter().map(|time| time.as_secs_f64() * 1e6).collect())
}

async fn added(load: &Load, model: &FakeModel, gateway: &Gateway) -> (f64, f64) {
    let (mut direct, mut through) =
        (Connection::open(&model.base_url()).await, Connection::open(&gateway.base_url).await);
    let (mut directs, mut throughs) = (Vec::new(), Vec::new());
    for _ in 0..load.calls {
        directs.push(timed(&mut direct, &load.body).await);
        throughs.push(timed(&mut through, &load.body).await);
    }
    (micros(&directs), micros(&throughs))
}

async fn throughput(load: &Load, gateway: &Gateway) -> (f64, f64) {
    let (cpu, started) = (cpu_seconds(gateway.process()), Instant::now());
    let client = |_| {
        let (base, body) = (gateway.base_url.clone(), load.body.clone());
        tokio::spawn(async move {
            let mut client = Connection::open(&base).await;
            for _ in 0..CALLS_EACH {
                timed(&mut client, &body).await;
            }
        })
    };
    let clients: Vec<_> = (0..CLIENTS).map(client).collect();
    for client in clients {
        client.await.expect("all calls are answered");
    }
    let calls = (CLIENTS * CALLS_EACH) as f64;
    (calls / started.elapsed().as_secs_f64(), (cpu_seconds(gateway.process()) - cpu) / calls * 1e6)
}

#[tokio::main]
async fn main() {
    let words: Vec<String> = (0..64).map(|word| format!("word{word} ")).collect();
    let text: &'static str = words.concat().leak();
    let model =
        FakeModel::builder().forgetful().otherwise(move |request| Step::says(request, text)).start().await;
    for isolation in ["fresh", "warm"] {
        let gateway = Gateway::start(&config(&model, isolation)).await;
        println!("policy cost, 10 candidates, isolation {isolation}; medians of {ROUNDS} rounds");
        for load in loads() {
            let mut rounds = Vec::new();
            for _ in 0..ROUNDS {
                rounds.push(added(&load, &model, &gateway).await);
            }
            let direct = median(rounds.iter().map(|(direct, _)| *direct).collect());
            let more = median(rounds.iter().map(|(direct, through)| through - direct).collect());
            println!("  {:<13} direct {direct:>8.0} µs   added {more:>8.0} µs", load.name);
        }
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push(throughput(&loads()[0], &gateway).await);
        }
        let rate = median(rounds.iter().map(|(rate, _)| *rate).collect());
        let cpu = median(rounds.iter().map(|(_, cpu)| *cpu).collect());
        println!(
            "  {CLIENTS} clients   {rate:>8.0} requests/s   {cpu:>6.1} µs of the gateway's CPU a request"
        );
    }
}
