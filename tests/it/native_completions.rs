//! Legacy completions with a backend that has that API.

use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gateway, Request, Step};
use serde_json::{Value, json};

use crate::fleet::{backend, built_in, model};

/// Answers with the prompt's suffix in capitals, 7 input tokens and 4 output tokens.
fn completions(request: &Request) -> Step {
    assert_eq!(request.path, "/v1/completions");
    let body = request.json();
    let text = body["suffix"].as_str().unwrap_or("none").to_uppercase();
    let usage = json!({ "prompt_tokens": 7, "completion_tokens": 4, "total_tokens": 11 });
    let chunk = |text: &str, finish_reason: Value| {
        json!({
            "id": "cmpl-1", "object": "text_completion", "created": 1, "model": "chat",
            "choices": [{ "text": text, "index": 0, "logprobs": null, "finish_reason": finish_reason }],
        })
    };
    if body["stream"] != true {
        let mut answer = chunk(&text, json!("stop"));
        answer["usage"] = usage;
        answer["unknown"] = json!({ "b": 1, "a": 2 });
        return Step::json(&answer);
    }
    assert_eq!(body["stream_options"], json!({ "include_usage": true }));
    let mut counted = chunk("", Value::Null);
    counted["choices"] = json!([]);
    counted["usage"] = usage;
    let events = [chunk(&text, Value::Null), chunk("", json!("stop")), counted];
    let events = events.map(|event| format!("data: {event}\n\n")).into_iter();
    Step::chunks("text/event-stream", events.chain(["data: [DONE]\n\n".to_owned()]))
}

/// Returns a gateway with the route `main`: first a model behind chat completions, then one behind
/// completions too.
async fn gateway(chat: &FakeModel, completions: &FakeModel) -> Gateway {
    let config = [
        built_in("priority", ""),
        backend("chat", chat, ""),
        backend("base", completions, "apis = [\"completions\"]\n"),
        model("chat/chat", 1, ""),
        model("base/chat", 1, ""),
        "[routes.main]\npolicy = \"priority\"\nmodels = [\"chat/chat\", \"base/chat\"]\n".to_owned(),
    ];
    Gateway::start(&config.concat()).await
}

async fn post(gateway: &Gateway, body: &'static str) -> Answer {
    let headers = [("content-type", "application/json")];
    client::call(http::Method::POST, &gateway.url("/v1/completions"), &headers, body).await
}

#[tokio::test]
async fn completions_pass_unchanged_to_a_backend_that_has_that_api() {
    let server = FakeModel::builder().otherwise(completions).start().await;
    let chat = FakeModel::saying("hello").await;
    let gateway = gateway(&chat, &server).await;
    for body in [
        r#"{"suffix":"end","model":"base/chat","prompt":"begin", "echo":true,"new":{"z":1.50}}"#,
        r#"{"suffix":"end","model":"base/chat","prompt":[[1,2],[3]]}"#,
        r#"{"suffix":"end","model":"base/chat","prompt":null}"#,
    ] {
        let answer = post(&gateway, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let received = server.requests().pop().expect("a call");
        assert_eq!(received.body, body.replace("base/chat", "chat"));
        let json = answer.json();
        assert_eq!(
            (&json["choices"][0]["text"], &json["unknown"]),
            (&json!("END"), &json!({ "b": 1, "a": 2 }))
        );
        // 7 tokens at 1 USD and 4 at 2 USD a million.
        assert_eq!(answer.header("x-pointsman-cost-usd"), Some("0.000015"));
    }
}

#[tokio::test]
async fn a_stream_of_completions_passes_without_the_usage_that_the_client_did_not_request() {
    let server = FakeModel::builder().otherwise(completions).start().await;
    let chat = FakeModel::saying("hello").await;
    let gateway = gateway(&chat, &server).await;
    let mut request = json!({ "model": "base/chat", "prompt": "begin", "suffix": "end", "stream": true });
    let url = gateway.url("/v1/completions");
    let events = client::stream(&url, &request).await.events().await;
    assert_eq!(events.len(), 3, "{events:?}");
    assert!(events[0].contains("\"END\"") && events[2] == "[DONE]", "{events:?}");

    request["stream_options"] = json!({ "include_usage": true });
    let events = client::stream(&url, &request).await.events().await;
    assert_eq!(events.len(), 4, "{events:?}");
    assert!(events[2].contains("\"prompt_tokens\":7"), "{events:?}");
}

#[tokio::test]
async fn a_completion_that_a_chat_model_cannot_express_goes_to_a_backend_that_has_the_api() {
    let server = FakeModel::builder().otherwise(completions).start().await;
    let chat = FakeModel::saying("hello").await;
    let gateway = gateway(&chat, &server).await;
    let answer = post(&gateway, r#"{"model":"main","prompt":"begin"}"#).await;
    assert_eq!(answer.header("x-pointsman-model"), Some("chat/chat"));
    assert_eq!(answer.json()["choices"][0]["text"], "hello");
    let answer = post(&gateway, r#"{"model":"main","prompt":"begin","suffix":"end"}"#).await;
    assert_eq!(answer.header("x-pointsman-model"), Some("base/chat"));
    assert_eq!(answer.json()["choices"][0]["text"], "END");
    // The chat model got no call for it.
    let answer = post(&gateway, r#"{"model":"chat/chat","prompt":"begin","suffix":"end"}"#).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"]["param"], "suffix");
    // A document from its beginning is nothing that a chat model could continue.
    for body in [r#"{"model":"chat/chat","prompt":null}"#, r#"{"model":"chat/chat"}"#] {
        let answer = post(&gateway, body).await;
        let error = &answer.json()["error"];
        assert_eq!((answer.status.as_u16(), &error["param"]), (400, &json!("prompt")));
        let message = error["message"].as_str().expect("a text");
        assert!(message.starts_with("none of the models can be sent this `prompt`: change it"), "{message}");
    }
}
