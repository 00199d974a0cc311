//! Duration of an honest policy's decisions while another policy misbehaves.
//!
//! Run `cargo bench -p pointsman-policy --bench neighbours` on an idle machine. An honest request
//! arrives each millisecond, beside a constant number of requests whose policy misbehaves, which
//! `NEIGHBOURS` sets. All share the threads of an async runtime, as in the gateway. Measured are the
//! decision alone, and the time since its request was sent.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints, spawns its own load, and stops when something fails"
)]

use std::fs::File;
use std::sync::{Arc, mpsc as blocking};
use std::thread;
use std::time::{Duration, Instant};

use pointsman_domain::ids::PolicyName;
use pointsman_guests::{COST, HOSTILE, Misdeed, misbehaving};
use pointsman_policy::{Code, Policy, PolicySpec, Runtime, RuntimeConfig};
use tokio::sync::mpsc;

#[path = "../tests/it/support/inputs.rs"]
mod inputs;

use inputs::input;

const CANDIDATES: usize = 10;
const REQUESTS: usize = 5_000;
const WARM_UP: usize = 200;
const PAUSE: Duration = Duration::from_millis(1);

/// Times in microseconds: of the decisions alone, and since their requests were sent.
struct Times {
    decisions: Vec<f64>,
    whole: Vec<f64>,
}

fn main() {
    let number = |name, default| std::env::var(name).map_or(default, |text: String| text.parse().unwrap());
    let neighbours = number("NEIGHBOURS", 32);
    tracing_subscriber::fmt().json().with_writer(File::create("/dev/null").unwrap()).init();
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let runtime = Runtime::new(RuntimeConfig::default()).unwrap();
    let honest = Arc::new(load(&runtime, "honest", COST, "{}"));

    println!("{neighbours} requests of a policy that misbehaves, beside 1,000 honest ones a second");
    println!("microseconds                  decision                      from request to decision");
    println!("neighbour                p50     p99    p99.9     max        p50       p99     p99.9");
    let quiet = threads.block_on(measure(&honest));
    print("none", &quiet, &quiet);
    for misdeed in [Misdeed::LoopInRoute, Misdeed::GrowMemory, Misdeed::FloodLog, Misdeed::FloodHost] {
        let hostile = Arc::new(load(&runtime, "hostile", HOSTILE, &misbehaving(misdeed)));
        let times = threads.block_on(async {
            let load: Vec<_> =
                (0..neighbours).map(|_| tokio::spawn(misbehave(Arc::clone(&hostile)))).collect();
            let times = measure(&honest).await;
            load.iter().for_each(tokio::task::JoinHandle::abort);
            times
        });
        print(misdeed.name(), &times, &quiet);
    }
}

fn load(runtime: &Runtime, name: &str, bytes: &[u8], settings: &str) -> Policy {
    let spec = PolicySpec { settings: settings.to_owned(), ..PolicySpec::new(PolicyName::new(name)) };
    runtime.load(spec, &Code::new(bytes.to_vec())).unwrap()
}

/// Sends requests in a row, and yields between them as reading the next one would.
async fn misbehave(policy: Arc<Policy>) {
    loop {
        let _ = policy.decide(input(CANDIDATES)).await;
        tokio::task::yield_now().await;
    }
}

async fn measure(policy: &Arc<Policy>) -> Times {
    let (send, mut requests) = mpsc::unbounded_channel();
    let client = thread::spawn(move || {
        // Nothing is ever sent: the timeout serves as a clock.
        let (_silent, pause) = blocking::channel::<()>();
        for _ in 0..WARM_UP + REQUESTS {
            let _ = pause.recv_timeout(PAUSE);
            send.send(Instant::now()).unwrap();
        }
    });
    let policy = Arc::clone(policy);
    let server = tokio::spawn(async move {
        let input = input(CANDIDATES);
        let mut times = Times { decisions: Vec::new(), whole: Vec::new() };
        while let Some(sent) = requests.recv().await {
            let input = input.clone();
            let began = Instant::now();
            policy.decide(input).await.unwrap();
            times.decisions.push(began.elapsed().as_secs_f64() * 1e6);
            times.whole.push(sent.elapsed().as_secs_f64() * 1e6);
        }
        times
    });
    let mut times = server.await.unwrap();
    client.join().unwrap();
    for times in [&mut times.decisions, &mut times.whole] {
        times.drain(..WARM_UP);
        times.sort_by(f64::total_cmp);
    }
    times
}

fn print(neighbour: &str, times: &Times, quiet: &Times) {
    let at = |times: &[f64], share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let (decisions, whole) = (&times.decisions, &times.whole);
    println!(
        "{neighbour:<20} {:>7.1} {:>7.1} {:>8.1} {:>7.0}   {:>8.1}  {:>8.1}  {:>8.1}   p99 x {:.2}",
        at(decisions, 0.5),
        at(decisions, 0.99),
        at(decisions, 0.999),
        at(decisions, 1.0),
        at(whole, 0.5),
        at(whole, 0.99),
        at(whole, 0.999),
        at(decisions, 0.99) / at(&quiet.decisions, 0.99),
    );
}
