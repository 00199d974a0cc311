use std::collections::VecDeque;
use std::sync::Mutex;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use super::super::tests::{history, settings};
use super::super::{ExportCounts, Traces, traces};
use super::*;

type Response = Result<CollectorResponse, String>;

/// Collector that answers from a list, and then accepts everything.
#[derive(Clone, Default)]
struct ScriptedCollector {
    answers: Arc<Mutex<VecDeque<Response>>>,
    sent: Arc<watch::Sender<Vec<usize>>>,
}

impl ScriptedCollector {
    fn answering(answers: impl IntoIterator<Item = Response>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Self::default() }
    }

    fn sent(&self) -> Vec<usize> {
        self.sent.borrow().clone()
    }
}

impl SpanCollector for ScriptedCollector {
    fn address(&self) -> String {
        "http://collector".to_owned()
    }

    async fn post(&self, request: Bytes) -> Response {
        let export = ExportTraceServiceRequest::decode(request).expect("an export");
        let spans = export.resource_spans[0].scope_spans[0].spans.len();
        self.sent.send_modify(|sent| sent.push(spans));
        self.answers.lock().expect("no panic").pop_front().unwrap_or(response(200, b""))
    }
}

fn response(status: u16, body: &'static [u8]) -> Response {
    Ok(CollectorResponse { status, retry_after: None, body: Bytes::from_static(body) })
}

fn failure(is_retryable: bool) -> Response {
    response(if is_retryable { 503 } else { 400 }, b"")
}

/// Short waits, so that no test takes long.
const FAST: ExportTiming =
    ExportTiming { max_age: Duration::from_millis(20), backoff: Duration::from_millis(1) };

fn fast_traces() -> (Traces, Exporter) {
    let (traces, exporter) = traces(settings());
    (traces, Exporter { timing: FAST, ..exporter })
}

/// Exports requests of three spans each, then stops.
async fn exported(requests: usize, collector: &ScriptedCollector) -> Traces {
    let (traces, mut exporter) = fast_traces();
    for _ in 0..requests {
        traces.record(&history(true), None);
    }
    let (stop, mut stopped) = watch::channel(false);
    let settled = async {
        let mut sent = collector.sent.subscribe();
        // A batch is counted right after it was sent.
        while traces.counts().exported + traces.counts().dropped < 3 * requests as u64 {
            let _ = timeout(FAST.backoff, sent.changed()).await;
        }
        let _ = stop.send(true);
    };
    tokio::join!(exporter.run(collector, &mut stopped), settled);
    traces
}

#[tokio::test]
async fn spans_of_several_requests_are_sent_in_one_batch() {
    let collector = ScriptedCollector::default();
    let traces = exported(10, &collector).await;
    assert_eq!(collector.sent(), [30]);
    assert_eq!(traces.counts(), ExportCounts { exported: 30, dropped: 0 });
}

#[tokio::test]
async fn a_full_batch_is_sent_at_once() {
    let collector = ScriptedCollector::default();
    exported(3_000, &collector).await;
    let sent = collector.sent();
    assert!(sent.len() > 1, "{sent:?}");
    assert_eq!(sent.iter().sum::<usize>(), 9_000);
}

#[tokio::test]
async fn a_batch_is_sent_again_after_a_retryable_failure() {
    let collector = ScriptedCollector::answering([failure(true), failure(true)]);
    let traces = exported(1, &collector).await;
    assert_eq!(collector.sent(), [3, 3, 3]);
    assert_eq!(traces.counts(), ExportCounts { exported: 3, dropped: 0 });
}

#[tokio::test]
async fn a_batch_without_a_response_is_sent_again() {
    let collector = ScriptedCollector::answering([Err("cannot connect".to_owned())]);
    exported(1, &collector).await;
    assert_eq!(collector.sent(), [3, 3]);
}

#[tokio::test]
async fn a_batch_is_not_sent_again_after_a_permanent_failure() {
    let collector = ScriptedCollector::answering([failure(false)]);
    let traces = exported(1, &collector).await;
    assert_eq!(collector.sent(), [3]);
    assert_eq!(traces.counts(), ExportCounts { exported: 0, dropped: 3 });
}

#[tokio::test]
async fn a_batch_is_dropped_after_the_last_attempt() {
    let collector = ScriptedCollector::answering((0..MAX_ATTEMPTS).map(|_| failure(true)));
    let traces = exported(1, &collector).await;
    assert_eq!(collector.sent().len(), MAX_ATTEMPTS as usize);
    assert_eq!(traces.counts(), ExportCounts { exported: 0, dropped: 3 });
}

#[tokio::test]
async fn spans_that_a_collector_rejects_are_counted_as_dropped() {
    // partial_success { rejected_spans: 2 }
    let collector = ScriptedCollector::answering([response(200, &[0x0a, 0x02, 0x08, 0x02])]);
    let traces = exported(1, &collector).await;
    assert_eq!(traces.counts(), ExportCounts { exported: 1, dropped: 2 });
}

#[tokio::test]
async fn remaining_spans_are_sent_once_at_the_stop() {
    let (traces, mut exporter) = fast_traces();
    traces.record(&history(true), None);
    let (_stop, mut stopped) = watch::channel(true);
    let collector = ScriptedCollector::answering([failure(true)]);
    exporter.run(&collector, &mut stopped).await;
    assert_eq!(collector.sent(), [3]);
    assert_eq!(traces.counts(), ExportCounts { exported: 0, dropped: 3 });
}
