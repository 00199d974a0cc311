//! Cost of the spans of a request.

use bytes::Bytes;
use divan::Bencher;
use pointsman_domain::history::History;
use pointsman_domain::outcome::RequestEnd;
use pointsman_domain::trace::{SampleRatio, TraceContext};
use pointsman_telemetry::traces::{CollectorResponse, SpanCollector, TraceSettings, traces};

#[path = "../../record/src/sample.rs"]
#[allow(dead_code, reason = "tests use more of it")]
mod sample;

fn main() {
    divan::main();
}

/// Returns a request of three spans: its own, a decision and a call.
fn history(sampled: bool) -> History {
    let mut history = sample::history(1_000_000, "llama-7b", RequestEnd::Answered);
    history.trace = Some(TraceContext { trace: 1 << 100, parent: Some(3), span: 2, sampled });
    history
}

/// Collector that accepts everything at once.
struct AcceptingCollector;

impl SpanCollector for AcceptingCollector {
    fn address(&self) -> String {
        String::new()
    }

    async fn post(&self, request: Bytes) -> Result<CollectorResponse, String> {
        divan::black_box(request);
        Ok(CollectorResponse { status: 200, retry_after: None, body: Bytes::new() })
    }
}

/// A request in a sampled trace writes its spans while another thread sends batches. Any other request
/// writes nothing.
#[divan::bench(args = [true, false])]
fn ended(bencher: Bencher<'_, '_>, sampled: bool) {
    let (traces, mut exporter) = traces(TraceSettings {
        service: "pointsman".to_owned(),
        instance: "bench".to_owned(),
        sample: SampleRatio::ALL,
        content: false,
    });
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let sending = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.map(|runtime| runtime.block_on(exporter.run(&AcceptingCollector, &mut stopped))).is_ok()
    });
    let history = history(sampled);
    bencher.bench_local(|| traces.record(&history, None));
    assert!(stop.send(true).is_ok());
    assert!(sending.join().is_ok_and(|sent| sent));
}
