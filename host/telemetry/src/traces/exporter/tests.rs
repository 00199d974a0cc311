use std::collections::VecDeque;
use std::sync::Mutex;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use super::super::tests::{history, settings};
use super::super::{Counts, Traces, traces};
use super::*;

type Answer = Result<CollectorResponse, String>;

/// Answers from a list, and then takes everything.
#[derive(Clone, Default)]
struct Scripted {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    sent: Arc<watch::Sender<Vec<usize>>>,
}

impl Scripted {
    fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Self::default() }
    }

    fn sent(&self) -> Vec<usize> {
        self.sent.borrow().clone()
    }
}

impl Collector for Scripted {
    fn address(&self) -> String {
        "http://collector".to_owned()
    }

    async fn post(&self, request: Bytes) -> Answer {
        let export = ExportTraceServiceRequest::decode(request).expect("an export");
        let spans = export.resource_spans[0].scope_spans[0].spans.len();
        self.sent.send_modify(|sent| sent.push(spans));
        self.answers.lock().expect("no panic").pop_front().unwrap_or(response(200, b""))
    }
}

fn response(status: u16, body: &'static [u8]) -> Answer {
    Ok(CollectorResponse { status, retry_after: None, body: Bytes::from_static(body) })
}

fn refused(is_retryable: bool) -> Answer {
    response(if is_retryable { 503 } else { 400 }, b"")
}

/// So that no test takes long.
const HURRIED: Pace = Pace { old: Duration::from_millis(20), backoff: Duration::from_millis(1) };

fn hurried() -> (Traces, Exporter) {
    let (traces, exporter) = traces(settings());
    (traces, Exporter { pace: HURRIED, ..exporter })
}

/// Exports so many requests of three spans each, then stops.
async fn exported(requests: usize, collector: &Scripted) -> Traces {
    let (traces, mut exporter) = hurried();
    for _ in 0..requests {
        traces.ended(&history(true), None);
    }
    let (stop, mut stopped) = watch::channel(false);
    let settled = async {
        let mut sent = collector.sent.subscribe();
        // What became of a batch is counted right after it was sent.
        while traces.counts().exported + traces.counts().dropped < 3 * requests as u64 {
            let _ = timeout(HURRIED.backoff, sent.changed()).await;
        }
        let _ = stop.send(true);
    };
    tokio::join!(exporter.run(collector, &mut stopped), settled);
    traces
}

#[tokio::test]
async fn what_ends_together_is_sent_together() {
    let collector = Scripted::default();
    let traces = exported(10, &collector).await;
    assert_eq!(collector.sent(), [30]);
    assert_eq!(traces.counts(), Counts { exported: 30, dropped: 0 });
}

#[tokio::test]
async fn a_batch_that_is_full_does_not_wait_for_more() {
    let collector = Scripted::default();
    exported(3_000, &collector).await;
    let sent = collector.sent();
    assert!(sent.len() > 1, "{sent:?}");
    assert_eq!(sent.iter().sum::<usize>(), 9_000);
}

#[tokio::test]
async fn a_batch_that_may_be_sent_again_is() {
    let collector = Scripted::answering([refused(true), refused(true)]);
    let traces = exported(1, &collector).await;
    assert_eq!(collector.sent(), [3, 3, 3]);
    assert_eq!(traces.counts(), Counts { exported: 3, dropped: 0 });
}

#[tokio::test]
async fn a_batch_without_a_response_is_sent_again() {
    let collector = Scripted::answering([Err("cannot connect".to_owned())]);
    exported(1, &collector).await;
    assert_eq!(collector.sent(), [3, 3]);
}

#[tokio::test]
async fn a_batch_that_is_wrong_is_not_sent_again() {
    let collector = Scripted::answering([refused(false)]);
    let traces = exported(1, &collector).await;
    assert_eq!(collector.sent(), [3]);
    assert_eq!(traces.counts(), Counts { exported: 0, dropped: 3 });
}

#[tokio::test]
async fn a_batch_is_given_up_after_some_tries() {
    let collector = Scripted::answering((0..TRIES).map(|_| refused(true)));
    let traces = exported(1, &collector).await;
    assert_eq!(collector.sent().len(), TRIES as usize);
    assert_eq!(traces.counts(), Counts { exported: 0, dropped: 3 });
}

#[tokio::test]
async fn spans_that_a_collector_rejects_are_counted_as_dropped() {
    // partial_success { rejected_spans: 2 }
    let collector = Scripted::answering([response(200, &[0x0a, 0x02, 0x08, 0x02])]);
    let traces = exported(1, &collector).await;
    assert_eq!(traces.counts(), Counts { exported: 1, dropped: 2 });
}

#[tokio::test]
async fn what_is_there_when_it_stops_is_sent_once() {
    let (traces, mut exporter) = hurried();
    traces.ended(&history(true), None);
    let (_stop, mut stopped) = watch::channel(true);
    let collector = Scripted::answering([refused(true)]);
    exporter.run(&collector, &mut stopped).await;
    assert_eq!(collector.sent(), [3]);
    assert_eq!(traces.counts(), Counts { exported: 0, dropped: 3 });
}
