//! Clients that hang up: the call at the backend ends, and its usage so far is recorded.

use pointsman_tests::{FakeModel, Gate, Gateway, Step, client};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::fleet::{ask, chat, in_order, open, status, streamed, usage};
use crate::raw;

/// Log settings with which a test can wait for the end of a request.
const LOGGED: &str = "[log]\nlevel = \"debug\"\n";
const CANCELLED: &str = r#""ending":"cancelled""#;

/// Returns the ledger's line of the abandoned request, with its tokens.
async fn cancelled_usage(gateway: &Gateway) -> (Value, u64, u64) {
    gateway.logged(CANCELLED).await;
    let lines = usage(gateway).await;
    let line = lines.iter().find(|line| line["cancelled"] == 1).unwrap_or_else(|| panic!("{lines:#?}"));
    assert_eq!((&line["answered"], &line["failed"]), (&json!(0), &json!(0)));
    let tokens = |name: &str| line[name].as_u64().expect("a number");
    (line.clone(), tokens("input_tokens"), tokens("output_tokens"))
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_ends_the_call() {
    let gate = Gate::new();
    let model = FakeModel::builder().then(Step::answer("too late").after(&gate)).start().await;
    let gateway = Gateway::start(&in_order(&[&model], LOGGED)).await;
    let url = gateway.url("/v1/chat/completions");
    let waiting = tokio::spawn(async move { client::post(&url, &chat("main", "hi")).await });
    gate.reached().await;
    waiting.abort();
    model.hung_up(1).await;
    let (line, input, output) = cancelled_usage(&gateway).await;
    assert!(input > 0 && output == 0, "the input may have been worked on: {line}");
    assert!(line["cost_usd"].as_f64() > Some(0.0), "{line}");
    let model = status(&gateway, "a/chat").await;
    assert_eq!(
        (&model["in_flight"], &model["error_rate"]),
        (&json!(0), &json!(0.0)),
        "not the model's fault"
    );
}

#[tokio::test]
async fn a_client_that_leaves_before_the_first_token_of_a_stream_ends_the_call() {
    let gate = Gate::new();
    let model = FakeModel::builder().then(Step::stream(&["too late"]).wait_after(0, &gate)).start().await;
    let gateway = Gateway::start(&in_order(&[&model], LOGGED)).await;
    let url = gateway.url("/v1/chat/completions");
    let waiting = tokio::spawn(async move { client::stream(&url, &streamed("main", "hi")).await });
    gate.reached().await;
    waiting.abort();
    model.hung_up(1).await;
    let (line, input, output) = cancelled_usage(&gateway).await;
    assert!(input > 0 && output == 0, "{line}");
}

#[tokio::test]
async fn a_client_that_leaves_in_mid_stream_ends_the_call_and_pays_for_the_received_part() {
    let gate = Gate::new();
    let pieces = ["a few ", "words of ", "the answer ", "and more"];
    let model = FakeModel::builder().then(Step::stream(&pieces).wait_after(3, &gate)).start().await;
    let gateway = Gateway::start(&in_order(&[&model], LOGGED)).await;
    let mut stream = open(&gateway, &streamed("main", "hi")).await;
    for _ in 0..3 {
        stream.event().await.expect("an event");
    }
    assert_eq!(status(&gateway, "a/chat").await["in_flight"], 1);
    drop(stream);
    model.hung_up(1).await;
    let (line, input, output) = cancelled_usage(&gateway).await;
    assert_eq!(line["model"], "a/chat");
    assert!(input > 0, "{line}");
    assert!((3..20).contains(&output), "estimated from what came: {line}");
    assert_eq!(status(&gateway, "a/chat").await["in_flight"], 0);
}

#[tokio::test]
async fn a_client_that_leaves_while_it_sends_costs_nothing() {
    let model = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&in_order(&[&model], LOGGED)).await;
    let mut stream = raw::connect(&gateway).await;
    let half = r#"{"model":"main","messages":[{"role":"#;
    let head = format!("{}content-length: 1000\r\n\r\n{half}", raw::head());
    stream.write_all(head.as_bytes()).await.expect("the gateway reads");
    drop(stream);
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "hello there");
    assert_eq!(model.requests().len(), 1);
    let lines = usage(&gateway).await;
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert_eq!((&lines[0]["answered"], &lines[0]["cancelled"]), (&json!(1), &json!(0)));
}
