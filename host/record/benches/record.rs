//! Cost of a line of the decision log, by serialising a record and with the encoder.

#[path = "../src/sample.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod sample;

use pointsman_domain::history::History;
use pointsman_domain::outcome::RequestEnd;
use pointsman_record::{DecisionRecord, LineEncoder};

const CANDIDATES: [usize; 3] = [1, 10, 50];

fn main() {
    divan::main();
}

#[divan::bench(args = CANDIDATES)]
fn encoded(bencher: divan::Bencher<'_, '_>, candidates: usize) {
    let history = history_with(candidates);
    let mut encoder = LineEncoder::default();
    bencher.bench_local(|| encoder.encode(&history, None, None).len());
}

/// The speeds of all models have changed since the last line.
#[divan::bench(args = CANDIDATES)]
fn encoded_after_changes(bencher: divan::Bencher<'_, '_>, candidates: usize) {
    let mut histories = [history_with(candidates), history_with(candidates)];
    let first = histories[0].decisions[0].candidates.clone();
    let renewed = first.iter().map(|candidate| {
        let mut candidate = candidate.clone();
        candidate.live.first_token_ms = Some(25.0 + 1.0 / 7.0);
        candidate
    });
    histories[1].decisions[0].candidates = renewed.collect();
    let (mut encoder, mut turn) = (LineEncoder::default(), 0);
    bencher.bench_local(|| {
        turn += 1;
        encoder.encode(&histories[turn % 2], None, None).len()
    });
}

#[divan::bench(args = CANDIDATES)]
fn serialised(bencher: divan::Bencher<'_, '_>, candidates: usize) {
    let history = history_with(candidates);
    let mut out = Vec::new();
    bencher.bench_local(|| {
        out.clear();
        serde_json::to_writer(&mut out, &DecisionRecord::from_history(&history)).is_ok()
    });
}

fn history_with(candidates: usize) -> History {
    let mut history = sample::history(1_000, "llama-7b", RequestEnd::Answered);
    let mut candidate = history.decisions[0].candidates[0].clone();
    let models = (0..candidates).map(|number| {
        candidate.model = sample::model(&format!("llama-{number}"), 20.0);
        candidate.live.first_token_ms = Some(25.0 + 1.0 / (number + 3) as f64);
        candidate.live.tokens_per_second = Some(400.0 - 1.0 / (number + 3) as f64);
        candidate.clone()
    });
    history.decisions[0].candidates = models.collect::<Vec<_>>().into();
    history
}
