//! Duration of a decision and of its phases.
//!
//! Run `cargo bench -p pointsman-policy --bench decision` on an idle machine. The table of phases comes
//! first, with medians of many decisions.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints, and stops when something fails"
)]

use std::path::Path;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use divan::Bencher;
use pointsman_domain::ids::PolicyName;
use pointsman_guests::{COST, FIRST};
use pointsman_policy::{
    Code, DecisionInput, DecisionTimings, Grants, Isolation, Limits, Policy, PolicySpec, Runtime,
    RuntimeConfig,
};

#[path = "../tests/it/support/inputs.rs"]
mod inputs;

use inputs::input;

const CANDIDATES: [usize; 2] = [10, 50];
const WARM: Isolation = Isolation::Warm { recycle_after: 1_000, instances: 2 };

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new(RuntimeConfig::default()).unwrap());

fn main() {
    // A call that moves to the slow lane needs the timer of a runtime.
    let timers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let _inside = timers.enter();
    print_parts();
    print_languages();
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

/// A policy that only answers: the minimum cost of a decision.
#[divan::bench(args = CANDIDATES, sample_count = 2_000)]
fn fresh_idle_policy(bencher: Bencher<'_, '_>, candidates: usize) {
    bench(bencher, FIRST, Isolation::Fresh, candidates);
}

/// The same with a warm instance.
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
    let name = PolicyName::new("bench");
    let limits = Limits { deadline: Duration::from_secs(1), ..Limits::default() };
    let spec = PolicySpec { isolation, grants: Grants::WASI, limits, ..PolicySpec::new(name) };
    RUNTIME.load(spec, &Code::new(bytes.to_vec())).unwrap()
}

/// Polls a decision to its end. It is pending only when it yields.
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
            let parts = measure(&policy, &input(candidates), 20_000);
            let part = |part: fn(&DecisionTimings) -> Duration| median(parts.iter().map(part).collect());
            println!(
                "{name}, {candidates} candidates  {:7.2}  {:11.2}  {:4.2}  {:5.2}  {:5.2}",
                part(|parts| parts.store),
                part(|parts| parts.instantiate),
                part(|parts| parts.find),
                part(|parts| parts.call),
                part(|parts| parts.drop),
            );
        }
    }
}

/// The example policies in other languages, where `cargo xtask test` built them.
#[expect(clippy::disallowed_methods, reason = "the test runner passes paths in the environment")]
fn print_languages() {
    let Ok(directory) = std::env::var("POINTSMAN_TEST_POLICIES") else { return };
    println!("10 candidates      bytes  load, ms  fresh, µs: instantiate   call   drop  warm, µs");
    for name in ["c", "javascript", "javascript-wasi", "python", "python-wasi"] {
        let bytes = std::fs::read(Path::new(&directory).join(name).with_extension("wasm")).unwrap();
        let started = Instant::now();
        let fresh = load(&bytes, Isolation::Fresh);
        let loaded = started.elapsed();
        let parts = measure(&fresh, &input(10), 1_000);
        let part = |part: fn(&DecisionTimings) -> Duration| median(parts.iter().map(part).collect());
        let (warm, input) = (load(&bytes, WARM), input(10));
        let decide = || {
            let started = Instant::now();
            run(warm.decide(input.clone())).unwrap();
            started.elapsed()
        };
        let kept = median(std::iter::repeat_with(decide).take(2_000).collect());
        println!(
            "{name:15} {:9}  {:8}  {:22.1}  {:5.1}  {:5.1}  {kept:8.1}",
            bytes.len(),
            loaded.as_millis(),
            part(|parts| parts.instantiate),
            part(|parts| parts.call),
            part(|parts| parts.drop),
        );
    }
}

/// Microseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn measure(policy: &Policy, input: &DecisionInput, times: usize) -> Vec<DecisionTimings> {
    (0..times).map(|_| run(policy.measure(input)).unwrap()).collect()
}
