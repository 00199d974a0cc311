//! Metrics for Prometheus.

mod load;
mod observability;

use std::collections::BTreeSet;

use http::Method;
use pointsman_tests::client::{self, get, get_with};
use pointsman_tests::prometheus::promtool;
use pointsman_tests::{FakeModel, Gateway, Step};
use serde_json::Value;

use crate::fleet::{ask, backend, built_in, chat, error, in_order, model, reload, usage};
use load::Load;

const OPEN_METRICS: &str = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";

/// Scrape in the classic text format.
struct Scrape(String);

impl Scrape {
    async fn of(gateway: &Gateway) -> Self {
        let answer = get(&gateway.admin("/metrics")).await;
        assert_eq!(answer.status, 200);
        Self(String::from_utf8(answer.body.to_vec()).expect("metrics are text"))
    }

    /// Returns the value of a series, if it exists.
    fn value(&self, series: &str) -> Option<f64> {
        let samples = self.0.lines().filter_map(|line| line.rsplit_once(' '));
        let mut values = samples.filter(|(name, _)| *name == series).map(|(_, value)| value);
        values.next().map(|value| value.parse().expect("a number"))
    }

    /// Returns the sum of all series of a metric.
    fn sum(&self, metric: &str) -> f64 {
        let samples = self.0.lines().filter_map(|line| line.rsplit_once(' '));
        let mine = samples.filter(|(series, _)| series.split('{').next() == Some(metric));
        mine.map(|(_, value)| value.parse::<f64>().expect("a number")).sum()
    }

    /// Returns the names of the series, with their labels.
    fn series(&self) -> BTreeSet<&str> {
        let samples = self.0.lines().filter(|line| !line.starts_with('#'));
        samples.filter_map(|line| Some(line.rsplit_once(' ')?.0)).collect()
    }

    /// Returns the names under which queries can refer to the series.
    fn names(&self) -> BTreeSet<&str> {
        self.series().into_iter().filter_map(|series| series.split('{').next()).collect()
    }
}

/// Scrapes until a series has a value. If it never does, the test fails after a number of
/// scrapes.
async fn scrape_until(gateway: &Gateway, series: &str, value: f64) -> Scrape {
    let mut scrape = Scrape::of(gateway).await;
    for _ in 0..2_000 {
        if scrape.value(series) == Some(value) {
            return scrape;
        }
        scrape = Scrape::of(gateway).await;
    }
    panic!("{series} never was {value}:\n{}", scrape.0);
}

#[tokio::test]
async fn requests_decisions_and_calls_are_counted() {
    let load = Load::start().await;
    let scrape = load.run().await;
    for (series, value) in [
        (r#"pointsman_requests_total{route="main",ending="answered"}"#, 3.0),
        (r#"pointsman_requests_total{route="main",ending="cancelled"}"#, 1.0),
        (r#"pointsman_requests_total{route="dead",ending="failed"}"#, 1.0),
        (r#"pointsman_request_errors_total{route="dead",fault="backend"}"#, 1.0),
        (r#"pointsman_request_errors_total{route="main",fault="backend"}"#, 0.0),
        (r#"pointsman_answers_total{route="main",model="b/chat"}"#, 3.0),
        (r#"pointsman_requests_total{route="b/chat",ending="answered"}"#, 1.0),
        (r#"pointsman_rejected_requests_total{code="model_not_found"}"#, 1.0),
        (r#"pointsman_rejected_requests_total{code="invalid_header"}"#, 1.0),
        (r#"pointsman_rejected_requests_total{code="unknown_url"}"#, 1.0),
        (r#"pointsman_rejected_requests_total{code="method_not_allowed"}"#, 1.0),
        (r#"pointsman_decisions_total{route="main",answer="route"}"#, 4.0),
        (r#"pointsman_decisions_total{route="broken",answer="failure"}"#, 1.0),
        (r#"pointsman_policy_failures_total{policy="bad",reason="trap"}"#, 1.0),
        (r#"pointsman_policy_fallbacks_total{route="broken"}"#, 1.0),
        (r#"pointsman_policy_fallbacks_total{route="main"}"#, 0.0),
        (r#"pointsman_plans_total{route="planned",ending="answered"}"#, 1.0),
        (r#"pointsman_plan_tasks_total{route="planned",operation="chat",end="done"}"#, 3.0),
        (r#"pointsman_plan_critical_path_seconds_count{route="planned"}"#, 1.0),
        (r#"pointsman_decision_duration_seconds_count{policy="cost"}"#, 5.0),
        (r#"pointsman_decision_duration_seconds_count{policy="bad"}"#, 1.0),
        (r#"pointsman_added_latency_seconds_count{route="main"}"#, 3.0),
        (r#"pointsman_time_to_first_token_seconds_count{route="main",model="b/chat"}"#, 3.0),
        (r#"pointsman_calls_total{backend="a",model="a/chat",result="answered"}"#, 0.0),
        (r#"pointsman_model_calls_in_flight{backend="b",model="b/chat"}"#, 0.0),
        (r#"pointsman_model_healthy{backend="a",model="a/chat"}"#, 0.0),
        (r#"pointsman_model_healthy{backend="b",model="b/chat"}"#, 1.0),
        (r#"pointsman_model_resting{backend="b",model="b/chat"}"#, 0.0),
        (r#"pointsman_policy_calls_in_flight{policy="cost"}"#, 0.0),
        (r#"pointsman_policy_idle_instances{policy="cost"}"#, 1.0),
        (r#"pointsman_route_info{route="broken",policy="bad"}"#, 1.0),
        (r#"pointsman_last_reload_successful"#, 1.0),
    ] {
        assert_eq!(scrape.value(series), Some(value), "{series} in\n{}", scrape.0);
    }
    let failed = scrape.value(r#"pointsman_calls_total{backend="a",model="a/chat",result="status-5xx"}"#);
    let fallbacks = scrape.value(r#"pointsman_fallback_calls_total{route="main"}"#);
    assert!(failed >= Some(3.0), "it fails until it is left alone: {failed:?}");
    assert!(fallbacks >= Some(1.0), "{fallbacks:?}");
    let memory =
        scrape.value(r#"pointsman_policy_peak_memory_bytes{policy="cost"}"#).expect("it has decided");
    assert!(memory >= 65_536.0, "a page at least: {memory}");
    let latency = scrape.value(r#"pointsman_request_duration_seconds_sum{route="main",model="b/chat"}"#);
    let first = scrape.value(r#"pointsman_time_to_first_token_seconds_sum{route="main",model="b/chat"}"#);
    assert!(latency >= first && first > Some(0.0), "{latency:?} {first:?}");
}

#[tokio::test]
async fn tokens_and_cost_match_the_decision_records() {
    let load = Load::start().await;
    let scrape = load.run().await;
    let lines = usage(&load.gateway).await;
    let ledger = |key: &str| lines.iter().filter_map(|line| line[key].as_f64()).sum::<f64>();
    for (metric, sum) in [
        ("pointsman_tokens_total", ledger("input_tokens") + ledger("output_tokens")),
        ("pointsman_cost_usd_total", ledger("cost_usd")),
        ("pointsman_compared_cost_usd_total", ledger("compared_cost_usd")),
        ("pointsman_baseline_cost_usd_total", ledger("baseline_cost_usd")),
        ("pointsman_requests_total", ledger("answered") + ledger("failed") + ledger("cancelled")),
        ("pointsman_answers_total", ledger("answered")),
    ] {
        assert!((scrape.sum(metric) - sum).abs() < 1e-12 && sum > 0.0, "{metric}: {sum} in\n{}", scrape.0);
    }
}

#[tokio::test]
async fn promtool_accepts_a_scrape() {
    let load = Load::start().await;
    let scrape = load.run().await;
    let Some(checked) = promtool(&["check", "metrics"], &[("scrape.txt", &scrape.0)]) else { return };
    let said = [checked.stdout, checked.stderr].concat();
    assert!(checked.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
}

#[tokio::test]
async fn the_format_follows_the_accept_header() {
    let gateway = Gateway::start(&in_order(&[&FakeModel::saying("hello").await], "")).await;
    let url = gateway.admin("/metrics");
    let open = get_with(&url, &[("accept", OPEN_METRICS)]).await;
    assert_eq!(
        open.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    let text = String::from_utf8_lossy(&open.body).into_owned();
    assert!(text.contains("# TYPE pointsman_requests counter\n") && text.ends_with("# EOF\n"), "{text}");
    for accept in ["text/plain", "*/*", "text/plain;q=1,application/openmetrics-text;q=0.1"] {
        let plain = get_with(&url, &[("accept", accept)]).await;
        assert_eq!(
            plain.header("content-type"),
            Some("text/plain; version=0.0.4; charset=utf-8"),
            "{accept}"
        );
        let text = String::from_utf8_lossy(&plain.body).into_owned();
        assert!(
            text.contains("# TYPE pointsman_requests_total counter\n") && !text.contains("# EOF"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn metrics_are_not_on_the_client_listener() {
    let gateway = Gateway::start(&in_order(&[&FakeModel::saying("hello").await], "")).await;
    error(&get(&gateway.url("/metrics")).await, 404, "unknown_url");
}

#[tokio::test]
async fn a_call_in_flight_is_counted() {
    let gate = pointsman_tests::Gate::new();
    let slow = FakeModel::builder().then(Step::answer("at last").after(&gate)).start().await;
    let gateway = Gateway::start(&in_order(&[&slow], "")).await;
    let in_flight = r#"pointsman_model_calls_in_flight{backend="a",model="a/chat"}"#;
    let asked = chat("main", "hi");
    let looking = async {
        gate.reached().await;
        let scrape = Scrape::of(&gateway).await;
        gate.open();
        scrape
    };
    let (answer, during) = tokio::join!(ask(&gateway, &asked), looking);
    assert_eq!(answer.text(), "at last");
    assert_eq!(during.value(in_flight), Some(1.0));
    let ended = r#"pointsman_requests_total{route="main",ending="answered"}"#;
    assert_eq!(during.value(ended), Some(0.0), "it has not ended");
    assert_eq!(scrape_until(&gateway, ended, 1.0).await.value(in_flight), Some(0.0));
}

#[tokio::test]
async fn a_model_at_rest_is_reported_until_it_answers() {
    let resting = r#"pointsman_model_resting{backend="a",model="a/chat"}"#;
    let limited = Step::status(429).header("retry-after", "600");
    let model = FakeModel::builder().then(limited).start().await;
    let gateway = Gateway::start(&in_order(&[&model], "max_attempts = 1\n")).await;
    assert_eq!(Scrape::of(&gateway).await.value(resting), Some(0.0));
    error(&ask(&gateway, &chat("main", "hi")).await, 429, "rate_limit_exceeded");
    let scrape = Scrape::of(&gateway).await;
    assert_eq!(scrape.value(resting), Some(1.0));
    assert_eq!(scrape.value(r#"pointsman_model_healthy{backend="a",model="a/chat"}"#), Some(1.0));
    assert_eq!(ask(&gateway, &chat("a/chat", "hi")).await.text(), "hello there");
    assert_eq!(Scrape::of(&gateway).await.value(resting), Some(0.0));
}

#[tokio::test]
async fn a_reload_removes_the_series_of_removed_entities() {
    let fake = FakeModel::saying("hello there").await;
    let second = "[policies.second]\nlimits.deadline = \"60s\"\nsource = \"builtin:cost\"\n[routes.second]\npolicy = \"second\"\n";
    let config = |more: &str| {
        backend("a", &fake, "") + &built_in("cost", "") + "[routes.main]\npolicy = \"cost\"\n" + more
    };
    let both = model("a/chat", 1, "") + second + &model("a/other", 2, "");
    let gateway = Gateway::start(&config(&both)).await;
    for name in ["main", "second", "a/other"] {
        assert_eq!(ask(&gateway, &chat(name, "hi")).await.status, 200, "{name}");
    }
    let before =
        scrape_until(&gateway, r#"pointsman_requests_total{route="a/other",ending="answered"}"#, 1.0).await;
    assert!(before.0.contains("second") && before.0.contains("a/other"), "{}", before.0);

    std::fs::write(gateway.config(), config(&model("a/chat", 1, ""))).expect("the config can be written");
    reload(&gateway).await;
    let after = Scrape::of(&gateway).await;
    assert!(!after.0.contains("\"second\"") && !after.0.contains("a/other"), "{}", after.0);
    let kept = r#"pointsman_requests_total{route="main",ending="answered"}"#;
    assert_eq!(after.value(kept), Some(1.0), "what stays goes on");
    assert!(after.value(r#"pointsman_reloads_total{result="applied"}"#) >= Some(1.0));

    std::fs::write(gateway.config(), "nonsense").expect("the config can be written");
    let refused = client::post(&gateway.admin("/admin/reload"), &Value::Null).await;
    assert_eq!(refused.status, 422);
    let refused = Scrape::of(&gateway).await;
    assert!(refused.value(r#"pointsman_reloads_total{result="rejected"}"#) >= Some(1.0), "{}", refused.0);
    assert_eq!(refused.value("pointsman_last_reload_successful"), Some(0.0));
}

#[tokio::test]
async fn clients_cannot_add_series() {
    let load = Load::start().await;
    let before = load.run().await;
    for number in 0..200 {
        let made_up = format!("made-up-{number}");
        let mut body = chat("main", &made_up);
        body["user"] = Value::from(made_up.as_str());
        body["metadata"] = serde_json::json!({ made_up.as_str(): made_up });
        let headers =
            [("x-pointsman-session", made_up.as_str()), ("authorization", &format!("Bearer {made_up}"))];
        let url = load.gateway.url("/v1/chat/completions");
        client::post_with(&url, &headers, &body).await;
        client::post(&url, &chat(&made_up, "hi")).await;
        get(&load.gateway.url(&format!("/{made_up}"))).await;
        client::call(Method::POST, &url, &[("x-pointsman-prefer", &made_up)], "{}").await;
    }
    let answered = r#"pointsman_requests_total{route="main",ending="answered"}"#;
    let after = scrape_until(&load.gateway, answered, 203.0).await;
    let new: Vec<&str> = after.series().difference(&before.series()).copied().collect();
    assert_eq!(new, [""; 0]);
    assert!(!after.0.contains("made-up"), "{}", after.0);
    assert_eq!(after.value(r#"pointsman_rejected_requests_total{code="model_not_found"}"#), Some(201.0));
}
