//! How long a decision takes, and where the time goes.
//!
//! `cargo bench -p pointsman-policy --bench decision`, on a quiet machine. The
//! table of parts comes first; each part is the median of many decisions.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints, and stops when something fails"
)]

use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use divan::Bencher;
use pointsman_domain::ids::PolicyName;
use pointsman_guests::{COST, FIRST};
use pointsman_policy::{Code, DecisionInput, Isolation, Parts, Policy, PolicySpec, Runtime, RuntimeConfig};

#[path = "../tests/it/support/inputs.rs"]
mod inputs;

use inputs::input;

const CANDIDATES: [usize; 2] = [10, 50];
const WARM: Isolation = Isolation::Warm { recycle_after: 1_000, instances: 2 };

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new(RuntimeConfig::default()).unwrap());

fn main() {
    print_parts();
    divan::main();
}

#[divan::bench(args = CANDIDATES, sample_count = 2_000)]
fn fresh(bencher: Bencher<'_, '_>, candidates: usize) {
    bench(bencher, COST, Isolation::Fresh, candidates);
}

#[divan::bench(args = CANDIDATES, sample_count = 2_000)]
fn warm(bencher: Bencher<'_, '_>, candidates: usize) {
    bench(bencher, COST, WARM, candidates);
}

/// A policy that does nothing but answer: what a decision costs at least.
#[divan::bench(args = CANDIDATES, sample_count = 2_000)]
fn fresh_idle_policy(bencher: Bencher<'_, '_>, candidates: usize) {
    bench(bencher, FIRST, Isolation::Fresh, candidates);
}

/// As `fresh_idle_policy`, warm.
#[divan::bench(args = CANDIDATES, sample_count = 2_000)]
fn warm_idle_policy(bencher: Bencher<'_, '_>, candidates: usize) {
    bench(bencher, FIRST, WARM, candidates);
}

fn bench(bencher: Bencher<'_, '_>, bytes: &[u8], isolation: Isolation, candidates: usize) {
    let policy = load(bytes, isolation);
    let input = input(candidates);
    bencher.bench_local(|| run(policy.decide(input.clone())).unwrap());
}

fn load(bytes: &[u8], isolation: Isolation) -> Policy {
    let spec = PolicySpec { isolation, ..PolicySpec::new(PolicyName::new("bench")) };
    RUNTIME.load(spec, &Code::new(bytes)).unwrap()
}

/// Polls a decision to its end: it only ever waits for a tick.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

fn print_parts() {
    println!("median microseconds     store  instantiate  find   call   drop");
    for (name, bytes) in [("idle", FIRST), ("cost", COST)] {
        for candidates in CANDIDATES {
            let policy = load(bytes, Isolation::Fresh);
            let parts = measure(&policy, &input(candidates));
            let median = |part: fn(&Parts) -> Duration| {
                let mut times: Vec<Duration> = parts.iter().map(part).collect();
                times.sort_unstable();
                times[times.len() / 2].as_secs_f64() * 1e6
            };
            println!(
                "{name}, {candidates} candidates  {:7.2}  {:11.2}  {:4.2}  {:5.2}  {:5.2}",
                median(|parts| parts.store),
                median(|parts| parts.instantiate),
                median(|parts| parts.find),
                median(|parts| parts.call),
                median(|parts| parts.drop),
            );
        }
    }
}

fn measure(policy: &Policy, input: &DecisionInput) -> Vec<Parts> {
    (0..20_000).map(|_| run(policy.measure(input)).unwrap()).collect()
}
