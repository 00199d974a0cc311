//! Propagation of the W3C trace context from the client to the models.

use pointsman_tests::collector::Collector;
use pointsman_tests::{FakeModel, Gateway, Step};

use super::{attempts, span_named, to};
use crate::fleet::{ask, ask_with, chat, in_order};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const NOT_SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

#[tokio::test]
async fn a_trace_of_the_client_is_continued_in_every_call_to_the_models() {
    let collector = Collector::start().await;
    let (failing, model) = (FakeModel::always(Step::status(500)).await, FakeModel::saying("hello").await);
    let gateway = Gateway::start(&in_order(&[&failing, &model], &to(&collector, ""))).await;
    let headers = [("traceparent", SAMPLED), ("tracestate", "congo=t61rcWkgMzE")];
    ask_with(&gateway, &headers, &chat("main", "hi")).await;
    let spans = collector.spans_when(4).await;
    let request = span_named(&spans, "chat main");
    assert_eq!((request.trace.as_str(), request.parent.as_deref()), (TRACE, Some(PARENT)));
    assert_eq!(request.flags, 0x301, "recorded, with a parent that is somebody else's");
    for (fake, attempt) in [&failing, &model].into_iter().zip(attempts(&spans)) {
        let received = fake.request(1).await;
        let expected = format!("00-{TRACE}-{}-01", attempt.id);
        assert_eq!(received.header("traceparent"), Some(expected.as_str()));
        assert_eq!(received.header("tracestate"), Some("congo=t61rcWkgMzE"));
        assert_eq!(attempt.flags, 0x101);
    }
}

#[tokio::test]
async fn an_unsampled_trace_of_the_client_stays_unsampled() {
    let (collector, model) = (Collector::start().await, FakeModel::saying("hello").await);
    let gateway = Gateway::start(&in_order(&[&model], &to(&collector, ""))).await;
    ask_with(&gateway, &[("traceparent", NOT_SAMPLED)], &chat("main", "hi")).await;
    let traceparent = model.request(1).await.header("traceparent").expect("a header").to_owned();
    assert!(
        traceparent.starts_with(&format!("00-{TRACE}-")) && traceparent.ends_with("-00"),
        "{traceparent}"
    );
    assert!(!traceparent.contains(PARENT), "the call has a span of its own: {traceparent}");
    assert!(gateway.stop().await.success());
    assert_eq!(collector.spans().len(), 0);
}

#[tokio::test]
async fn an_invalid_trace_header_is_ignored_and_a_new_trace_is_started() {
    let bad = [
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "nonsense",
    ];
    let (collector, model) = (Collector::start().await, FakeModel::saying("hello").await);
    let gateway = Gateway::start(&in_order(&[&model], &to(&collector, ""))).await;
    for header in bad {
        let headers = [("traceparent", header), ("tracestate", "congo=t61rcWkgMzE")];
        assert_eq!(ask_with(&gateway, &headers, &chat("main", "hi")).await.status, 200);
    }
    let spans = collector.spans_when(3 * bad.len()).await;
    let requests: Vec<_> = spans.iter().filter(|span| span.name == "chat main").collect();
    assert_eq!(requests.len(), bad.len());
    for (request, received) in requests.iter().zip(model.requests()) {
        assert_eq!(request.parent, None);
        assert_ne!(request.trace, TRACE);
        assert_eq!(received.header("tracestate"), None, "it belongs to no trace");
        assert!(received.header("traceparent").is_some_and(|header| header.contains(&request.trace)));
    }
}

#[tokio::test]
async fn without_a_collector_trace_headers_are_forwarded_unchanged() {
    let model = FakeModel::saying("hello").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    for header in [SAMPLED, "nonsense"] {
        let headers = [("traceparent", header), ("tracestate", "any=thing")];
        ask_with(&gateway, &headers, &chat("main", "hi")).await;
        let received = model.requests().pop().expect("a request");
        assert_eq!(
            (received.header("traceparent"), received.header("tracestate")),
            (Some(header), Some("any=thing"))
        );
    }
    ask(&gateway, &chat("main", "hi")).await;
    assert_eq!(model.requests().pop().expect("a request").header("traceparent"), None);
}

#[tokio::test]
async fn new_traces_are_sampled_at_the_configured_rate() {
    let (collector, model) = (Collector::start().await, FakeModel::saying("hello").await);
    let gateway = Gateway::start(&in_order(&[&model], &to(&collector, "sample = 0"))).await;
    ask(&gateway, &chat("main", "hi")).await;
    let traceparent = model.request(1).await.header("traceparent").expect("a header").to_owned();
    assert!(traceparent.ends_with("-00"), "the call need not be recorded either: {traceparent}");
    ask_with(&gateway, &[("traceparent", SAMPLED)], &chat("main", "hi")).await;
    assert!(gateway.stop().await.success());
    let spans = collector.spans();
    assert_eq!(spans.len(), 3, "a client's own choice counts: {spans:#?}");
    assert!(spans.iter().all(|span| span.trace == TRACE));
}
