//! Health of models that several routes, policies and clients share: short limits of one do not
//! make a model unhealthy for the others.

use pointsman_guests::FIRST;
use pointsman_tests::{FakeModel, Gate, Gateway, Step};
use serde_json::json;

use crate::fleet::{
    ask, ask_with, backend, built_in, chat, error, model, open, status, stream_error, streamed,
};
use crate::policy_file::PolicyFile;

/// Number of consecutive failures that makes a model unhealthy.
const OFTEN: usize = 5;

/// Starts a gateway with one model that never answers, a route `main` with long limits, and
/// further TOML.
async fn silent_model(backend_keys: &str, more: &str) -> (FakeModel, Gateway) {
    let silent = FakeModel::always(Step::hang()).await;
    let config = [
        backend("a", &silent, backend_keys),
        model("a/chat", 1, ""),
        built_in("cost", ""),
        "[routes.main]\npolicy = \"cost\"\n".to_owned(),
        more.to_owned(),
    ];
    let gateway = Gateway::start(&config.concat()).await;
    (silent, gateway)
}

async fn assert_healthy(gateway: &Gateway) {
    let model = status(gateway, "a/chat").await;
    assert_eq!((&model["healthy"], &model["error_rate"]), (&json!(true), &json!(0.0)), "{model}");
}

#[tokio::test]
async fn a_route_with_a_short_timeout_affects_no_other() {
    let hasty = "[routes.hasty]\npolicy = \"cost\"\nattempt_timeout = \"1ms\"\nmax_attempts = 1\n";
    let (_silent, gateway) = silent_model("", hasty).await;
    for _ in 0..OFTEN {
        error(&ask(&gateway, &chat("hasty", "hi")).await, 502, "all_models_failed");
    }
    assert_healthy(&gateway).await;
}

#[tokio::test]
async fn a_client_with_a_short_deadline_affects_no_other() {
    let (_silent, gateway) = silent_model("", "").await;
    for _ in 0..OFTEN {
        let headers = [("x-pointsman-deadline-ms", "1")];
        error(&ask_with(&gateway, &headers, &chat("main", "hi")).await, 504, "deadline_exceeded");
    }
    assert_healthy(&gateway).await;
}

#[tokio::test]
async fn a_policy_with_short_timeouts_affects_no_other() {
    let policy = PolicyFile::new(FIRST);
    let hasty = format!(
        "[policies.hasty]\nsource = \"{}\"\nsettings = {{ timeout_ms = 1 }}\n\
         [routes.hasty]\npolicy = \"hasty\"\nmax_attempts = 1\n",
        policy.path().display()
    );
    let (_silent, gateway) = silent_model("", &hasty).await;
    for _ in 0..OFTEN {
        error(&ask(&gateway, &chat("hasty", "hi")).await, 502, "all_models_failed");
    }
    assert_healthy(&gateway).await;
}

#[tokio::test]
async fn a_policy_with_short_timeouts_is_answered_by_a_retry() {
    let policy = PolicyFile::new(FIRST);
    let gate = Gate::new();
    let slow = FakeModel::always(Step::answer("slow").after(&gate)).await;
    let config = [
        backend("a", &slow, ""),
        model("a/chat", 1, ""),
        format!("[policies.hasty]\nsource = \"{}\"\n", policy.path().display()),
        "settings = { timeout_ms = 1 }\n[routes.main]\npolicy = \"hasty\"\nbackoff = \"1ms\"\n".to_owned(),
    ];
    let gateway = Gateway::start(&config.concat()).await;
    let body = chat("main", "hi");
    let after_the_first_call = async {
        gateway.logged("no answer within 1 ms").await;
        gate.open();
    };
    let (answer, ()) = tokio::join!(ask(&gateway, &body), after_the_first_call);
    assert_eq!((answer.text().as_str(), answer.header("x-pointsman-attempts")), ("slow", Some("2")));
}

#[tokio::test]
async fn a_deadline_in_the_middle_of_a_stream_affects_no_other() {
    let gate = Gate::new();
    let slow = FakeModel::always(Step::stream(&["Hel", "lo"]).wait_after(1, &gate)).await;
    let config = [
        backend("a", &slow, ""),
        model("a/chat", 1, ""),
        built_in("cost", ""),
        "[routes.main]\npolicy = \"cost\"\ntimeout = \"200ms\"\n".to_owned(),
    ];
    let gateway = Gateway::start(&config.concat()).await;
    for _ in 0..OFTEN {
        let events = open(&gateway, &streamed("main", "hi")).await.events().await;
        assert_eq!(stream_error(&events)["message"], "the time for the request ran out");
    }
    assert_healthy(&gateway).await;
}

#[tokio::test]
async fn a_wait_of_the_backends_own_limit_counts_as_its_failure() {
    let (_silent, gateway) = silent_model("first_byte_timeout = \"20ms\"", "max_attempts = 1\n").await;
    for _ in 0..3 {
        let message = error(&ask(&gateway, &chat("main", "hi")).await, 502, "all_models_failed");
        assert_eq!(message, "no model answered: a/chat: no answer within 20 ms");
    }
    assert_eq!(status(&gateway, "a/chat").await["healthy"], false);
}

#[tokio::test]
async fn a_wait_of_the_longest_route_limit_counts_as_a_failure() {
    let (_silent, gateway) = silent_model("", "attempt_timeout = \"20ms\"\nmax_attempts = 1\n").await;
    for _ in 0..3 {
        error(&ask(&gateway, &chat("main", "hi")).await, 502, "all_models_failed");
    }
    assert_eq!(status(&gateway, "a/chat").await["healthy"], false);
}
