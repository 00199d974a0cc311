//! What it costs to tell a request in spans: on its own path, and beside it.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::sync::Arc;

use bytes::Bytes;
use divan::Bencher;
use divan::counter::ItemsCount;
use pointsman_domain::history::History;
use pointsman_domain::outcome::Ending;
use pointsman_domain::trace::{SampleRatio, TraceContext};
use pointsman_telemetry::traces::{Collector, Exporter, Refused, Settings, Traces, traces};
use tokio::sync::watch;

#[path = "../src/sample.rs"]
#[allow(dead_code, reason = "tests use more of it")]
mod sample;

/// As many as the queue has room for.
const REQUESTS: usize = 4_096;

fn main() {
    divan::main();
}

/// A request of three spans: its own, a decision's, a call's.
fn history(sampled: bool) -> Arc<History> {
    let mut history = sample::history(1_000_000, "llama-7b", Ending::Answered);
    history.trace = Some(TraceContext { trace: 1 << 100, parent: Some(3), span: 2, sampled });
    Arc::new(history)
}

fn both_ends() -> (Traces, Exporter) {
    traces(Settings {
        service: "pointsman".to_owned(),
        instance: "bench".to_owned(),
        sample: SampleRatio::ALL,
        content: false,
    })
}

/// Takes everything at once.
struct Taker;

impl Collector for Taker {
    async fn send(&self, request: Bytes) -> Result<Bytes, Refused> {
        divan::black_box(request);
        Ok(Bytes::new())
    }
}

/// What the request's own path does: hand its history over, if it is recorded.
#[divan::bench(args = [true, false])]
fn hand_over(bencher: Bencher<'_, '_>, sampled: bool) {
    let history = history(sampled);
    bencher.counter(ItemsCount::new(REQUESTS)).with_inputs(both_ends).bench_refs(|(traces, _)| {
        for _ in 0..REQUESTS {
            traces.ended(&history, None);
        }
    });
}

/// What is done beside the requests: histories to spans, spans to batches.
#[divan::bench]
fn export(bencher: Bencher<'_, '_>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let history = history(true);
    let filled = || {
        let (traces, exporter) = both_ends();
        for _ in 0..REQUESTS {
            traces.ended(&history, None);
        }
        (traces, exporter, watch::channel(true))
    };
    bencher.counter(ItemsCount::new(REQUESTS)).with_inputs(filled).bench_values(
        |(traces, exporter, (_stop, stopped))| {
            runtime.block_on(exporter.run(Taker, stopped));
            assert_eq!(traces.counts().exported, 3 * REQUESTS as u64);
        },
    );
}
