//! What a line of the decision log costs: by serialising a record, and as the
//! log makes it.

#[path = "../src/sample.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod sample;

use std::sync::Arc;

use pointsman_domain::history::History;
use pointsman_domain::outcome::RequestEnd;
use pointsman_telemetry::Record;
use pointsman_telemetry::decision_log::Lines;

const CANDIDATES: [usize; 3] = [1, 10, 50];

fn main() {
    divan::main();
}

#[divan::bench(args = CANDIDATES)]
fn as_the_log_makes_it(bencher: divan::Bencher<'_, '_>, candidates: usize) {
    let history = among(candidates);
    let mut lines = Lines::default();
    bencher.bench_local(|| lines.line(&history, None, None).len());
}

/// Where the speeds of all models were measured anew since the last line.
#[divan::bench(args = CANDIDATES)]
fn when_all_has_changed(bencher: divan::Bencher<'_, '_>, candidates: usize) {
    let mut histories = [among(candidates), among(candidates)];
    let first = histories[0].decisions[0].candidates.clone();
    let renewed = first.iter().map(|candidate| {
        let mut candidate = candidate.clone();
        candidate.live.first_token_ms = Some(25.0 + 1.0 / 7.0);
        candidate
    });
    histories[1].decisions[0].candidates = renewed.collect();
    let (mut lines, mut turn) = (Lines::default(), 0);
    bencher.bench_local(|| {
        turn += 1;
        lines.line(&histories[turn % 2], None, None).len()
    });
}

#[divan::bench(args = CANDIDATES)]
fn by_serialising(bencher: divan::Bencher<'_, '_>, candidates: usize) {
    let history = among(candidates);
    let mut out = Vec::new();
    bencher.bench_local(|| {
        out.clear();
        serde_json::to_writer(&mut out, &Record::of(&history)).is_ok()
    });
}

fn among(candidates: usize) -> History {
    let mut history = sample::history(1_000, "llama-7b", RequestEnd::Answered);
    let mut candidate = history.decisions[0].candidates[0].clone();
    let models = (0..candidates).map(|number| {
        candidate.model = sample::model(&format!("llama-{number}"), 20.0);
        candidate.live.first_token_ms = Some(25.0 + 1.0 / (number + 3) as f64);
        candidate.live.tokens_per_second = Some(400.0 - 1.0 / (number + 3) as f64);
        candidate.clone()
    });
    history.decisions[0].candidates = models.collect::<Vec<_>>().into();
    history.request = Arc::clone(&history.request);
    history
}
