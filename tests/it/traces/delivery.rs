//! Collectors that are unavailable, slow, or reject spans.

use pointsman_tests::collector::{Collector, spans_of};
use pointsman_tests::{FakeModel, Gate, Gateway, Step};

use super::to;
use crate::fleet::{ask, chat, in_order};

/// Log line about spans that were not delivered.
const REFUSED: &str = "does not take spans";
const TAKEN_AGAIN: &str = "takes spans again";

async fn gateway(collector: &Collector, more: &str) -> (Gateway, FakeModel) {
    let model = FakeModel::saying("hello").await;
    let gateway = Gateway::start(&in_order(&[&model], &to(collector, more))).await;
    (gateway, model)
}

#[tokio::test]
async fn spans_are_delivered_once_an_unavailable_collector_returns() {
    let mut collector = Collector::start().await;
    collector.server.go_down().await;
    let (gateway, _model) = gateway(&collector, "").await;
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "hello");
    gateway.logged(REFUSED).await;
    collector.server.come_back().await;
    assert_eq!(collector.spans_when(3).await.len(), 3);
    gateway.logged(TAKEN_AGAIN).await;
    assert_eq!(gateway.log().matches(REFUSED).count(), 1, "said once: {}", gateway.log());
}

#[tokio::test]
async fn an_unresponsive_collector_delays_no_request() {
    let gate = Gate::new();
    let collector = Collector::scripted(FakeModel::builder().then(Collector::taken().after(&gate))).await;
    let (gateway, _model) = gateway(&collector, "").await;
    ask(&gateway, &chat("main", "hi")).await;
    gate.reached().await;
    // It holds the first spans; requests are answered all the same.
    for _ in 0..20 {
        assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "hello");
    }
    assert_eq!(collector.spans().len(), 3);
    gate.open();
    assert_eq!(collector.spans_when(63).await.len(), 63);
}

#[tokio::test]
async fn an_export_that_times_out_is_retried() {
    let collector = Collector::scripted(FakeModel::builder().then(Step::hang())).await;
    let (gateway, _model) = gateway(&collector, "timeout = \"100ms\"").await;
    ask(&gateway, &chat("main", "hi")).await;
    gateway.logged("no complete answer within 100 ms").await;
    gateway.logged(TAKEN_AGAIN).await;
    let exports = collector.server.requests();
    assert_eq!(exports.len(), 2);
    assert_eq!(exports[0].body, exports[1].body);
}

#[tokio::test]
async fn spans_that_a_collector_rejects_are_not_retried() {
    let collector = Collector::scripted(FakeModel::builder().then(Step::status(400))).await;
    let (gateway, _model) = gateway(&collector, "").await;
    ask(&gateway, &chat("main", "one")).await;
    gateway.logged("/v1/traces: status 400").await;
    ask(&gateway, &chat("main", "two")).await;
    gateway.logged(TAKEN_AGAIN).await;
    let exports = collector.server.requests();
    assert_eq!(exports.len(), 2);
    let traces = exports.iter().map(|export| spans_of(export)[0].trace.clone());
    assert_eq!(traces.collect::<std::collections::HashSet<_>>().len(), 2, "each was sent once");
    gateway.logged("3 were rejected so far").await;
}

#[tokio::test]
async fn a_busy_collector_is_not_called_before_its_retry_time() {
    let busy = Step::status(503).header("retry-after", "1");
    let collector = Collector::scripted(FakeModel::builder().then(busy)).await;
    let (gateway, _model) = gateway(&collector, "").await;
    ask(&gateway, &chat("main", "hi")).await;
    gateway.logged(TAKEN_AGAIN).await;
    assert_eq!(collector.server.requests().len(), 2);
}

#[tokio::test]
async fn spans_that_a_collector_drops_are_logged() {
    let collector = Collector::scripted(FakeModel::builder().then(Collector::taken_but(2))).await;
    let (gateway, _model) = gateway(&collector, "").await;
    ask(&gateway, &chat("main", "hi")).await;
    gateway.logged("it rejected 2 spans of a batch").await;
    assert_eq!(collector.server.requests().len(), 1);
}

#[tokio::test]
async fn the_last_spans_are_sent_before_the_gateway_ends() {
    let collector = Collector::start().await;
    let (gateway, _model) = gateway(&collector, "").await;
    for _ in 0..5 {
        ask(&gateway, &chat("main", "hi")).await;
    }
    assert!(gateway.stop().await.success());
    assert_eq!(collector.spans().len(), 15);
}

#[tokio::test]
async fn an_unavailable_collector_does_not_delay_the_shutdown() {
    let mut collector = Collector::start().await;
    collector.server.go_down().await;
    let (gateway, _model) = gateway(&collector, "").await;
    ask(&gateway, &chat("main", "hi")).await;
    gateway.logged(REFUSED).await;
    assert!(gateway.stop().await.success());
}
