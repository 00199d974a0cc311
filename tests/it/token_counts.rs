//! `POST /v1/messages/count_tokens`: counted by the provider, or estimated.

use http::Method;
use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gateway, Step, planted};
use serde_json::{Value, json};

use crate::fleet::{built_in, model, status, usage};

const PATH: &str = "/v1/messages/count_tokens";
const BODY: &str =
    r#"{ "new":{"z":1,"a":2.0}, "model" : "main", "messages":[{"role":"user","content":"Hello, world"}] }"#;

/// Returns the tables of a backend with Anthropic's API and one model, `NAME/claude`.
fn counting(name: &str, server: &FakeModel) -> String {
    let key = planted::BACKEND_KEY_ENV;
    let address = server.base_url();
    format!(
        "[backends.{name}]\nkind = \"anthropic\"\nbase_url = \"{address}\"\napi_key_env = \"{key}\"\n{}",
        model(&format!("{name}/claude"), 1, "")
    )
}

/// Starts a gateway with these tables of backends and a route `main` over their models, with further
/// keys.
async fn gateway(backends: &[String], keys: &str) -> Gateway {
    let route = format!("[routes.main]\npolicy = \"cost\"\nbackoff = \"1ms\"\n{keys}\n");
    Gateway::start(&(backends.concat() + &built_in("cost", "") + &route)).await
}

fn counted(tokens: u64) -> Step {
    Step::json(&json!({ "input_tokens": tokens }))
}

async fn count(gateway: &Gateway, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers = [&[("content-type", "application/json")], headers].concat();
    client::call(Method::POST, &gateway.url(PATH), &headers, body.to_owned()).await
}

/// Panics unless the answer is the gateway's estimate of the tokens of [`BODY`].
fn assert_estimated(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), origin(answer)), (200, Some("estimate")), "{}", answer.text());
    assert_eq!(answer.header("x-pointsman-model"), None);
    let tokens = answer.json()["input_tokens"].as_u64();
    assert!(tokens.is_some_and(|tokens| (1..20).contains(&tokens)), "{}", answer.text());
}

fn origin(answer: &Answer) -> Option<&str> {
    answer.header("x-pointsman-token-count")
}

#[tokio::test]
async fn the_provider_counts_a_request_that_passes_to_the_byte() {
    let server = FakeModel::always(counted(2_095)).await;
    let gateway = gateway(&[counting("a", &server)], "").await;
    let headers = [("anthropic-version", "2023-06-01"), ("anthropic-beta", "token-counting-2024-11-01")];
    for requested in ["main", "a/claude"] {
        let body = BODY.replace("main", requested);
        let answer = count(&gateway, &headers, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json(), json!({ "input_tokens": 2_095 }));
        assert_eq!(
            (origin(&answer), answer.header("x-pointsman-model")),
            (Some("provider"), Some("a/claude"))
        );
    }
    let received = server.requests();
    assert_eq!(received.len(), 2);
    for request in received {
        assert_eq!((&*request.path, &*request.body), (PATH, BODY.replace("main", "claude").as_bytes()));
        assert_eq!(headers.map(|(name, _)| request.header(name)), headers.map(|(_, value)| Some(value)));
        assert_eq!(request.header("x-api-key"), Some(planted::BACKEND_KEY));
    }
}

#[tokio::test]
async fn a_count_is_neither_charged_nor_recorded_nor_decided() {
    let server = FakeModel::always(counted(1_000_000)).await;
    let gateway = gateway(&[counting("a", &server)], "max_attempts = 1").await;
    assert_eq!(origin(&count(&gateway, &[], BODY).await), Some("provider"));
    assert_eq!(usage(&gateway).await, Vec::<Value>::new());
    let policies = client::get(&gateway.admin("/admin/policies")).await.json();
    assert_eq!(policies["policies"][0]["decisions"], 0, "{policies}");
    assert_eq!(calls(&gateway).await, 0.0);
    // A message is all of that.
    let message =
        json!({ "model": "main", "max_tokens": 9, "messages": [{ "role": "user", "content": "Hi" }] });
    client::post(&gateway.url("/v1/messages"), &message).await;
    assert_eq!((usage(&gateway).await.len(), calls(&gateway).await), (1, 1.0));
}

/// Returns the number of model calls that the metrics count.
async fn calls(gateway: &Gateway) -> f64 {
    let page = client::get(&gateway.admin("/metrics")).await;
    let metrics = String::from_utf8(page.body.to_vec()).expect("metrics are text");
    let counts = metrics.lines().filter(|line| line.starts_with("pointsman_calls_total{"));
    counts.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

#[tokio::test]
async fn tokens_are_estimated_where_a_model_of_the_route_is_of_another_provider() {
    let (server, other) = (FakeModel::always(counted(9)).await, FakeModel::saying("no").await);
    let others = [counting("a", &server), crate::fleet::backend("b", &other, ""), model("b/chat", 2, "")];
    let gateway = gateway(&others, "").await;
    assert_estimated(&count(&gateway, &[], BODY).await);
    assert_eq!((server.requests().len(), other.requests().len()), (0, 0));
    // A model that cannot serve the request does not count as one.
    let image = json!({
        "model": "main", "messages": [{ "role": "user", "content": [{
            "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo=" },
        }] }],
    });
    let seeing = [counting("a", &server) + "inputs = [\"text\", \"image\"]\n", others[1..].concat()];
    let gateway = self::gateway(&seeing, "").await;
    assert_eq!(origin(&count(&gateway, &[], &image.to_string()).await), Some("provider"));
}

#[tokio::test]
async fn another_model_counts_where_one_provider_fails() {
    let (failing, counting_one) =
        (FakeModel::always(Step::status(500)).await, FakeModel::always(counted(7)).await);
    let backends = [counting("a", &failing), counting("b", &counting_one)];
    let gateway = gateway(&backends, "").await;
    let answer = count(&gateway, &[], BODY).await;
    assert_eq!((answer.json()["input_tokens"].as_u64(), origin(&answer)), (Some(7), Some("provider")));
    assert_eq!(answer.header("x-pointsman-model"), Some("b/claude"));
    assert_eq!(failing.requests().len(), 1);
}

#[tokio::test]
async fn tokens_are_estimated_where_every_provider_fails() {
    for step in [
        Step::status(500),
        Step::status(429).header("retry-after", "60"),
        Step::status(404),
        Step::drop_connection(),
        Step::json(&json!({ "tokens": 7 })),
        Step::bytes("text/html", "<html>"),
        Step::huge(64 << 20),
    ] {
        let servers = [FakeModel::always(step.clone()).await, FakeModel::always(step).await];
        let gateway = gateway(&[counting("a", &servers[0]), counting("b", &servers[1])], "").await;
        assert_estimated(&count(&gateway, &[], BODY).await);
        gateway.logged("the provider did not count the tokens of a request").await;
        for (id, server) in ["a/claude", "b/claude"].into_iter().zip(&servers) {
            assert!(!server.requests().is_empty(), "{id}");
            let status = status(&gateway, id).await;
            assert_eq!((&status["healthy"], &status["resting"]), (&json!(true), &json!(false)), "{id}");
        }
    }
}

#[tokio::test]
async fn the_routes_number_of_attempts_limits_the_calls() {
    let servers = [FakeModel::always(Step::status(500)).await, FakeModel::always(counted(7)).await];
    let backends = [counting("a", &servers[0]), counting("b", &servers[1])];
    let gateway = gateway(&backends, "max_attempts = 1").await;
    assert_estimated(&count(&gateway, &[], BODY).await);
    assert_eq!((servers[0].requests().len(), servers[1].requests().len()), (1, 0));
}

#[tokio::test]
async fn tokens_are_estimated_where_the_provider_takes_too_long() {
    let server = FakeModel::always(Step::hang()).await;
    let slow =
        FakeModel::always(Step::chunks("application/json", ["{\"input", "_tokens\":7}"]).die_after(1)).await;
    let gateway =
        gateway(&[counting("a", &server), counting("b", &slow)], "attempt_timeout = \"100ms\"").await;
    assert_estimated(&count(&gateway, &[], BODY).await);
    assert_eq!((server.requests().len(), slow.requests().len()), (1, 1));
    // The client's own limit ends the wait too.
    let alone = [counting("a", &server)];
    let gateway = self::gateway(&alone, "").await;
    assert_estimated(&count(&gateway, &[("x-pointsman-deadline-ms", "100")], BODY).await);
}

#[tokio::test]
async fn models_that_are_not_available_are_not_called() {
    let server =
        FakeModel::builder().then(Step::status(429).header("retry-after", "60")).otherwise(|_| counted(7));
    let server = server.start().await;
    let gateway = gateway(&[counting("a", &server)], "max_attempts = 1").await;
    let message =
        json!({ "model": "main", "max_tokens": 9, "messages": [{ "role": "user", "content": "Hi" }] });
    assert_ne!(client::post(&gateway.url("/v1/messages"), &message).await.status, 200);
    assert_eq!(status(&gateway, "a/claude").await["resting"], true);
    assert_estimated(&count(&gateway, &[], BODY).await);
    assert_eq!(server.requests().len(), 1);
}
