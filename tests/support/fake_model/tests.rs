use serde_json::json;

use super::*;
use crate::client;
use crate::gate::Gate;

fn chat(model: &FakeModel) -> String {
    format!("{}/chat/completions", model.base_url())
}

#[tokio::test]
async fn a_script_is_carried_out_in_order() {
    let model = FakeModel::builder()
        .then(Step::status(429).header("retry-after", "1"))
        .then(Step::answer("first"))
        .start()
        .await;
    let refused = client::post(&chat(&model), &json!({})).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, Some("1")));
    assert_eq!(client::post(&chat(&model), &json!({ "n": 1 })).await.text(), "first");
    assert_eq!(client::post(&chat(&model), &json!({})).await.text(), "hello there");
    assert_eq!(model.requests()[1].json(), json!({ "n": 1 }));
    assert_eq!(model.connections(), 3);
}

#[tokio::test]
async fn streams_arrive_piece_by_piece() {
    let gate = Gate::new();
    let model = FakeModel::always(Step::stream(&["a", "b"]).wait_after(1, &gate)).await;
    let mut stream = client::stream(&chat(&model), &json!({})).await;
    assert!(stream.event().await.is_some_and(|event| event.contains("\"a\"")));
    gate.reached().await;
    gate.open();
    assert_eq!(stream.text().await, "b");
}

#[tokio::test]
async fn pieces_before_a_break_arrive() {
    let model = FakeModel::always(Step::stream(&["a", "b"]).die_after(1)).await;
    let mut stream = client::stream(&chat(&model), &json!({})).await;
    assert!(stream.event().await.is_some_and(|event| event.contains("\"a\"")));
    assert!(stream.chunk().await.is_some_and(|chunk| chunk.is_err()));
}

#[tokio::test]
async fn a_client_that_goes_away_is_noticed() {
    let gate = Gate::new();
    let model = FakeModel::builder()
        .then(Step::stream(&["a", "b"]).wait_after(1, &gate))
        .then(Step::answer("late").after(&gate))
        .start()
        .await;
    drop(client::stream(&chat(&model), &json!({})).await);
    model.hung_up(1).await;

    let url = chat(&model);
    let waiting = tokio::spawn(async move { client::post(&url, &json!({})).await });
    gate.reached_by(2).await;
    waiting.abort();
    model.hung_up(2).await;
}

#[tokio::test]
async fn a_model_goes_down_and_comes_back() {
    let mut model = FakeModel::saying("hi").await;
    let address = model.address;
    model.go_down().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    model.come_back().await;
    assert_eq!(client::post(&chat(&model), &json!({})).await.text(), "hi");
}
