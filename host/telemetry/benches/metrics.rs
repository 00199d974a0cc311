//! Cost of counting a request.
//!
//! `cargo bench --workspace --bench metrics`, on a quiet machine.

#[expect(dead_code, reason = "tests need more of it")]
#[path = "../../record/src/sample.rs"]
mod sample;

use std::sync::Arc;

use divan::Bencher;
use pointsman_domain::history::History;
use pointsman_domain::model::Model;
use pointsman_domain::outcome::RequestEnd;
use pointsman_telemetry::Metrics;
use pointsman_telemetry::metrics::{MetricsFormat, MetricsState};
use sample::{history, model};

fn main() {
    divan::main();
}

/// Numbers of routes, and of models of each.
const SIZES: [usize; 2] = [3, 100];

#[divan::bench(args = SIZES)]
fn one_call(bencher: Bencher<'_, '_>, size: usize) {
    count(bencher, size, &history(1_000, "model-0", RequestEnd::Answered));
}

#[divan::bench(args = SIZES)]
fn three_calls(bencher: Bencher<'_, '_>, size: usize) {
    let mut history = history(1_000, "model-0", RequestEnd::Answered);
    let call = history.calls[0].clone();
    history.calls.extend([call.clone(), call]);
    count(bencher, size, &history);
}

#[divan::bench(args = SIZES)]
fn page(bencher: Bencher<'_, '_>, size: usize) {
    let metrics = configured(size);
    metrics.record_request(&history(1_000, "model-0", RequestEnd::Answered));
    bencher.bench_local(|| metrics.page(MetricsFormat::OpenMetrics, MetricsState::default()));
}

fn count(bencher: Bencher<'_, '_>, size: usize, history: &History) {
    let metrics = configured(size);
    bencher.bench(|| metrics.record_request(history));
}

fn configured(size: usize) -> Metrics {
    let models: Vec<Arc<Model>> = (0..size).map(|number| model(&format!("model-{number}"), 1.0)).collect();
    let names: Vec<Arc<str>> =
        (1..size).map(|number| format!("route-{number}").into()).chain([Arc::from("auto")]).collect();
    let metrics = Metrics::default();
    metrics.configure(|| names.iter().map(|name| (name, models.as_slice())));
    metrics
}
