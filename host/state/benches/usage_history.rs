//! History of usage at full length: size of the file, times to collect and to store a step, to open the file, and to
//! read all of it; by the number of combinations of route, model and key in each step.
//!
//! `cargo bench -p pointsman-state --bench usage_history`
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot run has nothing to measure"
)]

use std::collections::HashMap;
use std::fs;
use std::time::{Duration, Instant};

use pointsman_domain::ids::{KeyName, ModelId};
use pointsman_domain::money::Picodollars;
use pointsman_domain::usage_totals::{UsageSubject, UsageTotals};
use pointsman_state::{HISTORY_STEP, MAX_HISTORY_STEPS, UsageHistory};

/// Start of the first step, in seconds since 1970.
const START: u64 = 1_700_000_100;
const ROUTES: [&str; 2] = ["auto", "fast"];
const MODELS: [&str; 5] =
    ["openai/gpt-4o-mini", "openai/gpt-4o", "local/qwen3-8b", "anthropic/claude-haiku", "local/llama-70b"];

/// Generator of numbers without a pattern (xorshift).
struct Noise(u64);

impl Noise {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    /// Sums of some requests of a combination in one step.
    fn totals(&mut self) -> UsageTotals {
        UsageTotals {
            answered: self.below(50),
            failed: self.below(3),
            input_tokens: self.below(40_000),
            output_tokens: self.below(10_000),
            cost: Picodollars::new(self.below(1 << 32)),
            compared_cost: Picodollars::new(self.below(1 << 32)),
            baseline_cost: Picodollars::new(self.below(1 << 34)),
            latency_us: self.below(100_000_000),
            ..UsageTotals::default()
        }
    }
}

fn subject(number: usize) -> UsageSubject {
    UsageSubject {
        route: ROUTES[number % 2].into(),
        model: Some(ModelId::new(MODELS[number / 2 % 5])),
        key: Some(KeyName::new(format!("team-{:03}", number / 10))),
    }
}

fn measure(combinations: usize) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history.redb");
    let (history, mut noise) = (UsageHistory::open(&path, START), Noise(7));
    let subjects: Vec<UsageSubject> = (0..combinations).map(subject).collect();
    let mut sums: HashMap<UsageSubject, UsageTotals> = HashMap::new();
    let (mut collecting, mut storing) = (Duration::ZERO, Duration::ZERO);
    for step in 0..MAX_HISTORY_STEPS as u64 {
        for subject in &subjects {
            *sums.entry(subject.clone()).or_default() += noise.totals();
        }
        let now = START + step * HISTORY_STEP + 60;
        let begun = Instant::now();
        history.collect(|| sums.clone(), now).unwrap();
        collecting += begun.elapsed();
        let begun = Instant::now();
        history.store(now).unwrap();
        storing += begun.elapsed();
    }
    drop(history);
    let begun = Instant::now();
    let history = UsageHistory::open(&path, START);
    let opening = begun.elapsed();
    let (mut steps, begun) = (0, Instant::now());
    history.read(0, u64::MAX, |_, _| steps += 1).unwrap();
    let reading = begun.elapsed();
    assert_eq!((steps, history.status().error), (MAX_HISTORY_STEPS, None));
    let each = |time: Duration| time.as_secs_f64() * 1e3 / MAX_HISTORY_STEPS as f64;
    println!(
        "{combinations:>5} combinations: {:>6.1} MB, collect {:.2} ms, store {:.2} ms, open {:.0} ms, read {:.0} ms",
        fs::metadata(&path).unwrap().len() as f64 / 1e6,
        each(collecting),
        each(storing),
        opening.as_secs_f64() * 1e3,
        reading.as_secs_f64() * 1e3,
    );
}

fn main() {
    [10, 100, 1_000].into_iter().for_each(measure);
}
