//! State that policies keep between requests, and ratings of answers.

use std::path::PathBuf;

use http::Method;
use pointsman_guests::KEEPER;
use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gateway};
use serde_json::{Value, json};

use crate::decision_log::wait_for_records;
use crate::fleet::{ask, ask_with, chat, error, in_order};
use crate::keys::key;
use crate::policy_file::PolicyFile;

/// Gateway whose route `main` has the policy `keeper`, and `next`, a policy that shares its state, for
/// trials.
struct Setup {
    policy: PolicyFile,
    config: String,
    _model: FakeModel,
}

impl Setup {
    async fn new(more: &str) -> Self {
        let (policy, model) = (PolicyFile::new(KEEPER), FakeModel::saying("hello").await);
        let policy_of = |name: &str, more: &str| {
            format!(
                "[policies.{name}]\nsource = \"{}\"\ngrants = [\"state\"]\nlimits.deadline = \"60s\"\n{more}\n",
                policy.path().display()
            )
        };
        let config = format!(
            "{}{}{}[routes.kept]\npolicy = \"keeper\"\n{more}\n",
            in_order(&[&model], ""),
            policy_of("keeper", ""),
            policy_of("next", "state_of = \"keeper\""),
        );
        Self { policy, config, _model: model }
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.policy.path().with_file_name(name)
    }

    fn with_state_directory(mut self) -> Self {
        self.config += &format!("[state]\ndir = \"{}\"\n", self.beside("state").display());
        self
    }

    async fn start(&self) -> Gateway {
        Gateway::start(&self.config).await
    }
}

/// Returns the number of decisions that the policy counted, this one included.
async fn decide(gateway: &Gateway) -> u64 {
    let answer = ask(gateway, &chat("kept", "hi")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let label = answer.header("x-pointsman-route").expect("a label");
    let count = label.split_once(':').and_then(|(decisions, _)| decisions.strip_prefix("decisions-"));
    count.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{label}"))
}

async fn state(gateway: &Gateway, query: &str) -> Value {
    client::get(&gateway.admin(&format!("/admin/policies/keeper/state{query}"))).await.json()
}

/// Waits until no change of the state is left to store.
async fn stored(gateway: &Gateway) {
    while state(gateway, "").await["unstored"] != 0 {
        tokio::task::yield_now().await;
    }
}

async fn metrics(gateway: &Gateway) -> String {
    let page = client::get(&gateway.admin("/metrics")).await;
    String::from_utf8_lossy(&page.body).into_owned()
}

async fn operate(gateway: &Gateway, method: Method, path: &str, body: &Value) {
    let url = gateway.admin(&format!("/admin/routes/kept/{path}"));
    let answer = client::call(method, &url, &[], body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
}

async fn rate(gateway: &Gateway, body: &Value, headers: &[(&str, &str)]) -> Answer {
    client::post_with(&gateway.url("/v1/feedback"), headers, body).await
}

#[tokio::test]
async fn what_a_policy_keeps_survives_a_kill_and_a_new_version() {
    let setup = Setup::new("").await.with_state_directory();
    let gateway = setup.start().await;
    assert_eq!((decide(&gateway).await, decide(&gateway).await), (1, 2));
    stored(&gateway).await;
    gateway.signal("KILL");
    gateway.ended().await;

    let gateway = setup.start().await;
    assert_eq!(decide(&gateway).await, 3);
    // What is left is stored when the gateway stops.
    assert_eq!(gateway.stop().await.code(), Some(0));
    let gateway = setup.start().await;
    assert_eq!(decide(&gateway).await, 4);

    let kept = state(&gateway, "?prefix=decisions").await;
    assert_eq!((&kept["policy"], &kept["is_durable"]), (&json!("keeper"), &json!(true)));
    assert_eq!(kept["entries"], json!([{ "key": "decisions", "text": "4" }]));
    let metrics = metrics(&gateway).await;
    assert!(metrics.contains("pointsman_policy_state_keys{policy=\"keeper\"}"), "{metrics}");
    assert!(metrics.contains("pointsman_policy_state_store_failures_total 0"), "{metrics}");
    let none = client::get(&gateway.admin("/admin/policies/cost/state")).await;
    assert!(none.status == 404 && none.json()["error"]["message"].to_string().contains("keeps nothing"));
    let wrong = client::get(&gateway.admin("/admin/policies/keeper/state?limit=x")).await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn a_shadow_keeps_nothing_and_a_canary_until_it_is_promoted() {
    let setup = Setup::new("").await;
    let gateway = setup.start().await;
    assert_eq!(decide(&gateway).await, 1);
    operate(&gateway, Method::PUT, "trial", &json!({ "policy": "next", "mode": "shadow" })).await;
    assert_eq!(decide(&gateway).await, 2);
    // The shadow decides beside the request.
    while client::get(&gateway.admin("/admin/routes/kept")).await.json()["trial"]["trial"]["decisions"] != 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(state(&gateway, "?prefix=decisions").await["entries"][0]["text"], "2");

    let canary = json!({ "policy": "next", "mode": "canary", "percent": 100 });
    operate(&gateway, Method::PUT, "trial", &canary).await;
    assert_eq!((decide(&gateway).await, decide(&gateway).await), (3, 4));
    assert_eq!(state(&gateway, "?prefix=decisions").await["entries"][0]["text"], "2");
    // Without a promotion, what it kept ends with the trial.
    operate(&gateway, Method::DELETE, "trial", &json!({})).await;
    assert_eq!(decide(&gateway).await, 3);

    operate(&gateway, Method::PUT, "trial", &canary).await;
    assert_eq!(decide(&gateway).await, 4);
    operate(&gateway, Method::POST, "promote", &json!({})).await;
    assert_eq!(state(&gateway, "?prefix=decisions").await["entries"][0]["text"], "4");
    assert_eq!(decide(&gateway).await, 5);
}

#[tokio::test]
async fn a_rating_reaches_the_policy_and_the_log_once() {
    let mut setup = Setup::new("").await;
    setup.config += &format!("[decision_log]\ndir = \"{}\"\n", setup.beside("log").display());
    let gateway = setup.start().await;
    let answer = ask(&gateway, &chat("kept", "hi")).await;
    let id = answer.header("x-pointsman-decision-id").expect("an id").to_owned();
    let body = json!({ "decision_id": id, "score": 0.75, "name": "helpful" });
    // The request is recorded at its end, beside the answer.
    while rate(&gateway, &body, &[]).await.status == 404 {
        tokio::task::yield_now().await;
    }
    error(&rate(&gateway, &body, &[]).await, 409, "already_rated");
    let unnamed = json!({ "decision_id": id, "score": 1 });
    assert_eq!(rate(&gateway, &unnamed, &[]).await.status, 204);

    let rated = || async { state(&gateway, "?prefix=ratings").await["entries"][0]["text"].clone() };
    while rated().await != "2" {
        tokio::task::yield_now().await;
    }
    let records = wait_for_records(&setup.beside("log"), 3).await;
    let ratings: Vec<&Value> = records.iter().filter(|record| record["kind"] == "feedback").collect();
    assert_eq!(ratings.len(), 2);
    assert_eq!((&ratings[0]["decision"], &ratings[0]["score"]), (&json!(id), &json!(0.75)));
    assert_eq!((&ratings[0]["name"], &ratings[0]["model"]), (&json!("helpful"), &json!("a/chat")));
    let request = records.iter().find(|record| record["id"] == json!(id)).expect("the request");
    assert_eq!(request["decisions"][0]["state"], json!({ "reads": 5, "writes": 1, "rejected": 0 }));
    let metrics = metrics(&gateway).await;
    assert!(metrics.contains("pointsman_feedback_total 2"), "{metrics}");
}

#[tokio::test]
async fn a_rating_that_is_none_is_rejected_by_name() {
    let setup = Setup::new("").await;
    let gateway = setup.start().await;
    let unknown = json!({ "decision_id": "01a22c12-0c92-7914-932e-ebde95cef16d", "score": 1 });
    assert!(
        error(&rate(&gateway, &unknown, &[]).await, 404, "decision_not_found")
            .contains("x-pointsman-decision-id")
    );
    for (body, code) in [
        (json!({ "decision_id": "x", "score": 1.5 }), "invalid_value"),
        (json!({ "decision_id": "x", "score": "good" }), "invalid_json"),
        (json!({ "decision_id": "x", "score": 1, "name": "Two words" }), "invalid_value"),
        (json!({ "decision_id": "x", "score": 1, "reason": "x" }), "invalid_json"),
        (json!({ "score": 1 }), "invalid_json"),
    ] {
        error(&rate(&gateway, &body, &[]).await, 400, code);
    }
    let large = json!({ "decision_id": "x".repeat(10_000), "score": 1 });
    error(&rate(&gateway, &large, &[]).await, 413, "request_too_large");
}

#[tokio::test]
async fn no_key_rates_the_answer_of_another() {
    let keys = key("app", "pm-app-secret", "[\"*\"]") + &key("other", "pm-other-secret", "[\"*\"]");
    let setup = Setup::new(&keys).await;
    let gateway = setup.start().await;
    let (app, other) = ([("x-api-key", "pm-app-secret")], [("x-api-key", "pm-other-secret")]);
    let answer = ask_with(&gateway, &app, &chat("kept", "hi")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let id = answer.header("x-pointsman-decision-id").expect("an id").to_owned();
    let body = json!({ "decision_id": id, "score": 0 });
    assert_eq!(rate(&gateway, &body, &[]).await.status, 401);
    while rate(&gateway, &body, &app).await.status == 404 {
        tokio::task::yield_now().await;
    }
    error(&rate(&gateway, &body, &other).await, 404, "decision_not_found");
}
