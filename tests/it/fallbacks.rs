//! Calls after the first one: retries of the same model within a budget, and unhealthy models as
//! the last resort.

use http::Method;
use pointsman_guests::FIRST;
use pointsman_tests::{FakeModel, Gateway, Request, Step, client};

use crate::fleet::{ask, backend, chat, error, in_order, model, open, status, streamed};
use crate::policy_file::PolicyFile;

/// Failures that another call of the same model may not meet again.
fn transient_failures() -> [Step; 6] {
    [
        Step::drop_connection(),
        Step::status(500),
        Step::status(429).header("retry-after", "0"),
        Step::bytes("application/json", r#"{"choices":[{"message":{"content":"cut o"#),
        Step::bytes("text/html", "<html></html>"),
        Step::stream(&["lost"]).die_after(0),
    ]
}

#[tokio::test]
async fn the_only_model_is_retried_after_any_failure_before_its_answer() {
    for failure in transient_failures() {
        for streaming in [false, true] {
            let failing = FakeModel::builder().then(failure.clone()).then(failure.clone()).start().await;
            let gateway = Gateway::start(&in_order(&[&failing], "")).await;
            let mut body = chat("main", "hi");
            body["stream"] = streaming.into();
            let stream = open(&gateway, &body).await;
            assert_eq!(stream.status, 200, "{failure:?}");
            assert_eq!(stream.headers["x-pointsman-attempts"], "3");
            let text = if streaming { stream.text().await } else { stream.whole().await.text() };
            assert_eq!(text, "hello there");
        }
    }
}

#[tokio::test]
async fn a_silent_model_is_retried_after_the_others() {
    let silent = FakeModel::builder().then(Step::hang()).start().await;
    let failing = FakeModel::always(Step::status(500)).await;
    let gateway = Gateway::start(&in_order(&[&silent, &failing], "attempt_timeout = \"200ms\"\n")).await;
    let answer = ask(&gateway, &chat("main", "hi")).await;
    assert_eq!(answer.text(), "hello there");
    assert_eq!(answer.header("x-pointsman-model"), Some("a/chat"));
    assert_eq!((silent.requests().len(), failing.requests().len()), (2, 1));
}

#[tokio::test]
async fn a_permanent_failure_is_not_retried() {
    for status in [401, 403, 404] {
        let refusing = FakeModel::always(Step::status(status)).await;
        let gateway = Gateway::start(&in_order(&[&refusing], "")).await;
        error(&ask(&gateway, &chat("main", "hi")).await, 502, "all_models_failed");
        assert_eq!(refusing.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_retry_beyond_the_budget_is_counted_and_not_made() {
    let failing = FakeModel::always(Step::status(500)).await;
    let no_budget = "[retry_budget]\npercent = 0\nmin_concurrency = 0\n";
    let gateway = Gateway::start(&in_order(&[&failing], no_budget)).await;
    let answer = ask(&gateway, &chat("main", "hi")).await;
    assert_eq!(error(&answer, 502, "all_models_failed"), "no model answered: a/chat: status 500");
    assert_eq!(answer.header("x-pointsman-attempts"), Some("1"));
    assert_eq!(failing.requests().len(), 1);
    let page = client::get(&gateway.admin("/metrics")).await;
    let page = String::from_utf8_lossy(&page.body).into_owned();
    let sample = "pointsman_call_retries_denied_total{backend=\"a\",model=\"a/chat\"} 1\n";
    assert!(page.contains(sample), "{page}");
}

/// Gateway whose first model is unhealthy, because its probes fail, and would answer `from the
/// unhealthy`. The policy tries its candidates in order.
struct Fleet {
    unhealthy: FakeModel,
    other: FakeModel,
    gateway: Gateway,
    _policy: PolicyFile,
}

impl Fleet {
    async fn new(other: FakeModel, settings: &str, route: &str) -> Self {
        let probed = |request: &Request| match request.method {
            Method::GET => Step::status(500),
            _ => Step::says(request, "from the unhealthy"),
        };
        let unhealthy = FakeModel::builder().otherwise(probed).start().await;
        let policy = PolicyFile::new(FIRST);
        let config = [
            backend("a", &unhealthy, "health = { interval = \"1ms\", timeout = \"60s\" }"),
            model("a/chat", 1, ""),
            backend("b", &other, ""),
            model("b/chat", 2, ""),
            format!("[policies.first]\nsource = \"{}\"\n", policy.path().display()),
            format!("settings = {{ {settings} }}\n"),
            format!("[routes.main]\npolicy = \"first\"\nbackoff = \"1ms\"\n{route}"),
            "[retry_budget]\npercent = 0\nmin_concurrency = 0\n".to_owned(),
        ];
        let gateway = Gateway::start(&config.concat()).await;
        while status(&gateway, "a/chat").await["healthy"] == true {}
        Self { unhealthy, other, gateway, _policy: policy }
    }

    /// Returns the number of calls of the unhealthy model, without probes.
    fn unhealthy_calls(&self) -> usize {
        self.unhealthy.requests().iter().filter(|request| request.method == Method::POST).count()
    }
}

#[tokio::test]
async fn an_unhealthy_model_is_called_once_the_selected_models_have_failed() {
    for streaming in [false, true] {
        let failing = FakeModel::always(Step::status(500)).await;
        let fleet = Fleet::new(failing, "label = \"first\"", "").await;
        let mut body = chat("main", "hi");
        body["stream"] = streaming.into();
        let stream = open(&fleet.gateway, &body).await;
        assert_eq!(stream.headers["x-pointsman-model"], "a/chat");
        assert_eq!(stream.headers["x-pointsman-attempts"], "2");
        let id = stream.headers["x-pointsman-decision-id"].to_str().expect("an id").to_owned();
        let text = if streaming { stream.text().await } else { stream.whole().await.text() };
        assert_eq!((text.as_str(), fleet.other.requests().len()), ("from the unhealthy", 1));
        let record = client::get(&fleet.gateway.admin(&format!("/admin/decisions/{id}"))).await.json();
        let seen = record["decisions"][0]["candidates"].as_array().expect("what the policy saw");
        assert_eq!(seen.len(), 1, "the policy does not see the unhealthy model: {record}");
    }
}

#[tokio::test]
async fn an_unhealthy_model_gets_no_requests_while_others_answer() {
    let fleet = Fleet::new(FakeModel::saying("well").await, "label = \"first\"", "").await;
    assert_eq!(ask(&fleet.gateway, &chat("main", "hi")).await.text(), "well");
    assert_eq!(open(&fleet.gateway, &streamed("main", "hi")).await.text().await, "well");
    assert_eq!(fleet.unhealthy_calls(), 0);
}

#[tokio::test]
async fn a_route_can_disable_the_last_resort() {
    let failing = FakeModel::always(Step::status(500)).await;
    let fleet = Fleet::new(failing, "label = \"first\"", "last_resort = false\n").await;
    let answer = ask(&fleet.gateway, &chat("main", "hi")).await;
    assert_eq!(error(&answer, 502, "all_models_failed"), "no model answered: b/chat: status 500");
    assert_eq!((fleet.unhealthy_calls(), fleet.other.requests().len()), (0, 1));
}

#[tokio::test]
async fn the_static_order_ends_with_the_unhealthy_models() {
    let failing = FakeModel::always(Step::status(500)).await;
    let fleet = Fleet::new(failing, "fails_from = 0", "").await;
    let answer = ask(&fleet.gateway, &chat("main", "hi")).await;
    assert_eq!(answer.text(), "from the unhealthy");
    assert_eq!(answer.header("x-pointsman-route"), Some("static"));
    assert_eq!(answer.header("x-pointsman-attempts"), Some("2"));
}
