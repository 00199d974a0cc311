//! `POST /admin/playground`: one request, run by a policy and explained.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use pointsman_guests::{FIRST, HOSTILE, KEEPER, Misdeed, misbehaving, wrong_world};
use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gateway};
use serde_json::{Value, json};

use crate::fleet::{ask, built_in, chat, error, in_order};
use crate::policy_file::PolicyFile;

/// Two candidates, of which the second is cheaper.
const CASE: &str = r#"{"request": {"messages": "Hello"},
 "candidates": [{"id": "a/dear", "input_price": 5, "output_price": 5, "quality": 0.9},
                {"id": "b/cheap", "input_price": 1, "output_price": 1, "quality": 0.5}]}"#;

async fn run(gateway: &Gateway, request: &Value) -> Answer {
    client::post(&gateway.admin("/admin/playground"), request).await
}

/// Runs a case that must lead to a report.
async fn report(gateway: &Gateway, request: &Value) -> Value {
    let answer = run(gateway, request).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    let body = answer.json();
    assert!(body["report"].is_object(), "{body}");
    body["report"].clone()
}

/// Runs a case that must fail, and returns the kind and the message of the problem.
async fn problem(gateway: &Gateway, request: &Value) -> (String, String) {
    let answer = run(gateway, request).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    let problem = &answer.json()["problem"];
    let text = |name: &str| problem[name].as_str().expect("a problem").to_owned();
    (text("kind"), text("message"))
}

#[tokio::test]
async fn a_loaded_policy_runs_with_its_own_settings_and_an_uploaded_one_without() {
    let model = FakeModel::saying("hello").await;
    let floor = "[policies.floor]\nsource = \"builtin:cost\"\nsettings = { quality_floor = 0.8 }\n";
    let gateway = Gateway::start(&in_order(&[&model], floor)).await;

    let cheap = report(&gateway, &json!({ "policy": "cost", "case": CASE })).await;
    assert_eq!(cheap["calls"][0]["answer"]["targets"], json!(["b/cheap", "a/dear"]), "{cheap}");
    assert!(cheap["fuel"].as_u64().is_some_and(|fuel| fuel > 0), "{cheap}");
    let good = report(&gateway, &json!({ "policy": "floor", "case": CASE })).await;
    assert_eq!(good["calls"][0]["answer"]["label"], "cheapest:above-floor", "{good}");
    assert_eq!(good["calls"][0]["imports"][0]["function"], "json", "it reads its settings: {good}");
    let stated = CASE.replacen('{', r#"{"settings": {"quality_floor": 0.1}, "#, 1);
    let stated = report(&gateway, &json!({ "policy": "floor", "case": stated })).await;
    assert_eq!(stated["calls"][0]["answer"]["targets"][0], "b/cheap", "{stated}");

    let uploaded = report(&gateway, &json!({ "code": BASE64.encode(FIRST), "case": CASE })).await;
    assert_eq!(uploaded["calls"][0]["answer"]["targets"][0], "a/dear", "{uploaded}");
    let policies = client::get(&gateway.admin("/admin/policies")).await.json();
    assert_eq!(policies["policies"].as_array().map(Vec::len), Some(2), "nothing was loaded: {policies}");
    assert_eq!(policies["policies"][0]["decisions"], 0, "{policies}");
}

#[tokio::test]
async fn what_a_policy_keeps_is_neither_seen_nor_changed() {
    let model = FakeModel::saying("hello").await;
    let policy = PolicyFile::new(KEEPER);
    let keeper = format!(
        "[policies.keeper]\nsource = \"{}\"\ngrants = [\"state\"]\nlimits.deadline = \"60s\"\n\
         [routes.kept]\npolicy = \"keeper\"\n",
        policy.path().display()
    );
    let gateway = Gateway::start(&in_order(&[&model], &keeper)).await;
    let decide =
        async || ask(&gateway, &chat("kept", "hi")).await.header("x-pointsman-route").map(str::to_owned);
    let label = decide().await.expect("a label");
    assert!(label.starts_with("decisions-1:"), "{label}");
    for _ in 0..2 {
        let run = report(&gateway, &json!({ "policy": "keeper", "case": CASE })).await;
        assert_eq!(run["calls"][0]["answer"]["label"], "decisions-1:outcomes-0:ratings-0", "{run}");
    }
    let label = decide().await.expect("a label");
    assert!(label.starts_with("decisions-2:"), "{label}");
}

#[tokio::test]
async fn mistakes_are_explained() {
    let model = FakeModel::saying("hello").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let (kind, message) =
        problem(&gateway, &json!({ "policy": "cost", "case": "{\n  \"requst\": {}\n}" })).await;
    assert_eq!(kind, "invalid-case");
    assert!(message.contains("requst") && message.contains("did you mean `request`?"), "{message}");
    assert!(message.contains("case:2:"), "the place: {message}");
    let (kind, message) =
        problem(&gateway, &json!({ "code": BASE64.encode(wrong_world()), "case": "{}" })).await;
    assert_eq!(kind, "not-loaded", "{message}");
    assert!(message.starts_with("error: uploaded: "), "{message}");
    let (kind, _) = problem(&gateway, &json!({ "code": "%%%", "case": "{}" })).await;
    assert_eq!(kind, "not-loaded");

    let unknown = run(&gateway, &json!({ "policy": "nobody", "case": "{}" })).await;
    error(&unknown, 404, "not_found");
    for body in [
        json!({ "case": "{}" }),
        json!({ "policy": "cost", "code": "", "case": "{}" }),
        json!({ "policy": "cost" }),
    ] {
        error(&run(&gateway, &body).await, 400, "invalid_body");
    }
}

#[tokio::test]
async fn a_policy_that_fails_is_reported_and_harms_nobody() {
    let model = FakeModel::saying("hello").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    for (misdeed, kind) in [(Misdeed::Panic, "trap"), (Misdeed::LoopInRoute, "deadline")] {
        let case = CASE.replacen('{', &format!("{{\"settings\": {}, ", misbehaving(misdeed)), 1);
        let run = report(&gateway, &json!({ "code": BASE64.encode(HOSTILE), "case": case })).await;
        let answer = &run["calls"][0]["answer"];
        assert_eq!((&answer["kind"], &answer["problem"]["kind"]), (&"failure".into(), &kind.into()), "{run}");
    }
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.status, 200);
}

#[tokio::test]
async fn the_playground_needs_the_admin_token() {
    let model = FakeModel::saying("hello").await;
    let config = format!("[admin]\ntoken_env = \"POINTSMAN_TEST_TOKEN\"\n{}", in_order(&[&model], ""));
    let gateway = Gateway::start_with(&config, &[("POINTSMAN_TEST_TOKEN", "let-me-in")]).await;
    assert_eq!(run(&gateway, &json!({ "policy": "cost", "case": CASE })).await.status, 401);
    let headers = [("authorization", "Bearer let-me-in")];
    let body = json!({ "policy": "cost", "case": CASE });
    let allowed = client::post_with(&gateway.admin("/admin/playground"), &headers, &body).await;
    assert_eq!(allowed.status, 200, "{}", allowed.json());
}

#[tokio::test]
async fn one_request_runs_at_a_time() {
    let model = FakeModel::saying("hello").await;
    let policy = built_in("dynamic", "grants = [\"prompt\"]");
    let gateway = Gateway::start(&in_order(&[&model], &policy)).await;
    let body = json!({ "policy": "dynamic", "case": CASE });
    let (first, second, third) =
        tokio::join!(run(&gateway, &body), run(&gateway, &body), run(&gateway, &body));
    let answers = [first, second, third];
    let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert!(count(200) >= 1 && count(200) + count(409) == 3, "{answers:?}");
    if let Some(refused) = answers.iter().find(|answer| answer.status == 409) {
        error(refused, 409, "playground_busy");
    }
    report(&gateway, &body).await;
}
