//! Requests that no model can serve: the answer is the same on every route, whatever its policy.

use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gateway};
use serde_json::{Value, json};

use crate::fleet::{PLANNING_POLICIES, ROUTING_POLICIES, ask, backend, built_in, chat, model};

fn policies() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROUTING_POLICIES.into_iter().chain(PLANNING_POLICIES)
}

/// Starts a gateway with a route for each built-in policy over the models `a/chat` and `b/chat`,
/// which have these facts.
async fn gateway(upstream: &FakeModel, facts: &str) -> Gateway {
    let mut config = backend("a", upstream, "") + &backend("b", upstream, "");
    config += &model("a/chat", 1, &format!("quality = 0.5\n{facts}"));
    config += &model("b/chat", 9, &format!("quality = 0.9\n{facts}"));
    for (policy, grants) in policies() {
        config += &built_in(policy, grants);
        config += &format!("[routes.{policy}]\npolicy = \"{policy}\"\nbackoff = \"1ms\"\n");
    }
    Gateway::start(&config).await
}

fn routes() -> impl Iterator<Item = &'static str> {
    policies().map(|(policy, _)| policy).chain(["a/chat"])
}

/// Returns a request with further or other members.
fn with(members: &Value) -> Value {
    let mut body = chat("", "what is this?");
    let body_members = body.as_object_mut().expect("an object");
    body_members.extend(members.as_object().expect("an object").clone());
    body
}

fn with_part(part: &Value) -> Value {
    let content = json!([{ "type": "text", "text": "what is this?" }, part]);
    with(&json!({ "messages": [{ "role": "user", "content": content }] }))
}

/// Sends a request, and a dry run of it, to every route. Returns the code, the param and the
/// message of the one error with status 400 that all of them answer.
async fn common_rejection(gateway: &Gateway, request: &Value) -> (Value, Value, String) {
    let mut refusals: Vec<(&str, Value)> = Vec::new();
    for route in routes() {
        let mut body = request.clone();
        body["model"] = route.into();
        let dry_run: Answer = client::post(&gateway.url("/v1/decisions"), &body).await;
        for answer in [ask(gateway, &body).await, dry_run] {
            let refusal = answer.json();
            assert_eq!(answer.status, 400, "{route}: {refusal}");
            assert_eq!(answer.header("retry-after"), None, "{route}: waiting does not help");
            refusals.push((route, refusal["error"].clone()));
        }
    }
    let first = refusals[0].1.clone();
    for (route, refusal) in refusals {
        assert_eq!(refusal, first, "{route}");
    }
    let message = first["message"].as_str().expect("the message is text").to_owned();
    (first["code"].clone(), first["param"].clone(), message)
}

#[tokio::test]
async fn content_and_features_that_no_model_supports_are_a_400_that_names_the_member() {
    let upstream = FakeModel::saying("hello").await;
    let gateway = gateway(&upstream, "abilities = [\"streaming\"]\n").await;
    let url = json!({ "url": "https://example.com/x" });
    let function = json!({ "name": "clock", "parameters": {} });
    let schema = json!({ "type": "json_schema", "json_schema": { "name": "x", "schema": {} } });
    let data = json!({ "data": "UklGRg==", "format": "wav" });
    let cases = [
        (with_part(&json!({ "type": "image_url", "image_url": url })), "messages", "image_url", "image"),
        (
            with_part(&json!({ "type": "input_audio", "input_audio": data })),
            "messages",
            "input_audio",
            "audio",
        ),
        (with_part(&json!({ "type": "video_url", "video_url": url })), "messages", "video_url", "video"),
        (with_part(&json!({ "type": "file", "file": { "file_id": "f" } })), "messages", "file", "document"),
        (
            with(&json!({ "tools": [{ "type": "function", "function": function }] })),
            "tools",
            "tools",
            "tools",
        ),
        (with(&json!({ "functions": [function] })), "tools", "tools", "tools"),
        (
            with(&json!({ "response_format": schema })),
            "response_format",
            "response_format",
            "structured-output",
        ),
        (with(&json!({ "reasoning_effort": "high" })), "reasoning_effort", "reasoning_effort", "reasoning"),
        (with(&json!({ "logprobs": true })), "logprobs", "logprobs", "log-probabilities"),
    ];
    for (request, param, member, value) in cases {
        let (code, seen, message) = common_rejection(&gateway, &request).await;
        assert_eq!((&code, &seen), (&json!("unsupported_request"), &json!(param)), "{message}");
        let key = if param == "messages" { "inputs" } else { "abilities" };
        for word in [format!("`{member}`"), format!("\"{value}\""), format!("`{key}`"), "[models.".to_owned()]
        {
            assert!(message.contains(&word), "{word} is not in: {message}");
        }
    }
    assert_eq!(upstream.requests().len(), 0);
}

#[tokio::test]
async fn a_request_that_is_too_long_by_any_count_is_a_400_on_every_route() {
    let upstream = FakeModel::saying("hello").await;
    let gateway = gateway(&upstream, "context_window = 100\n").await;
    for request in [chat("", &"words ".repeat(3_000)), with_messages(40)] {
        let (code, param, message) = common_rejection(&gateway, &request).await;
        assert_eq!((code, param), (json!("context_length_exceeded"), json!("messages")));
        assert!(message.ends_with("more than any model of the route takes (at most 100)"), "{message}");
    }
    assert_eq!(upstream.requests().len(), 0);
}

/// Returns a conversation of `turns` long turns.
fn with_messages(turns: usize) -> Value {
    let message = |turn: usize| {
        let role = if turn.is_multiple_of(2) { "user" } else { "assistant" };
        json!({ "role": role, "content": "a long turn ".repeat(60) })
    };
    with(&json!({ "messages": (0..turns).map(message).collect::<Vec<_>>() }))
}

#[tokio::test]
async fn a_chat_without_a_model_for_chats_is_a_400_on_every_route() {
    let upstream = FakeModel::saying("hello").await;
    let gateway =
        gateway(&upstream, "operations = [\"transcription\"]\ninputs = [\"text\", \"audio\"]\n").await;
    let (code, _, message) = common_rejection(&gateway, &chat("", "hi")).await;
    assert_eq!(code, "unsupported_request");
    assert_eq!(
        message,
        "no model of the route serves chat requests; if a model does, add \"chat\" to `operations` of its \
         [models.\"…\"] in the configuration"
    );
    assert_eq!(upstream.requests().len(), 0);
}

#[tokio::test]
async fn unstated_facts_of_a_model_are_left_to_its_backend() {
    let upstream = FakeModel::saying("hello").await;
    let gateway = gateway(&upstream, "").await;
    let tool = json!({ "type": "function", "function": { "name": "clock" } });
    let schema = json!({ "type": "json_schema", "json_schema": { "name": "x", "schema": {} } });
    for members in [
        json!({ "reasoning_effort": "high" }),
        json!({ "tools": [tool] }),
        json!({ "response_format": schema }),
        json!({ "logprobs": true, "top_logprobs": 2 }),
    ] {
        for route in routes() {
            let mut body = with(&members);
            body["model"] = route.into();
            let answer = ask(&gateway, &body).await;
            assert_eq!(answer.status, 200, "{route}: {}", String::from_utf8_lossy(&answer.body));
            // Where several models are called, only the task that answers has the client's members.
            if answer.header("x-pointsman-tasks").is_some() {
                continue;
            }
            let sent = upstream.requests().last().expect("a call").json();
            for (member, value) in members.as_object().expect("an object") {
                assert_eq!(&sent[member], value, "{route}");
            }
        }
    }
}

#[tokio::test]
async fn an_estimate_of_tokens_does_not_exclude_the_only_model() {
    let upstream = FakeModel::saying("hello").await;
    let gateway = gateway(&upstream, "context_window = 8192\n").await;
    // 32,900 bytes, and 4,900 tokens by OpenAI's `o200k_base` and `cl100k_base`.
    let code = format!("{}x = 1\n", " ".repeat(40)).repeat(700);
    let mut all_of_the_window = chat("", "hi");
    all_of_the_window["max_tokens"] = 8_192.into();
    for request in [chat("", &code), all_of_the_window] {
        for route in routes() {
            let mut body = request.clone();
            body["model"] = route.into();
            let answer = ask(&gateway, &body).await;
            assert_eq!(answer.status, 200, "{route}: {}", String::from_utf8_lossy(&answer.body));
        }
    }
}

#[tokio::test]
async fn a_model_with_enough_context_by_the_estimate_is_preferred() {
    let (small, large) = (FakeModel::saying("small").await, FakeModel::saying("large").await);
    let config = backend("small", &small, "")
        + &backend("large", &large, "")
        + &model("small/chat", 1, "context_window = 1000")
        + &model("large/chat", 9, "context_window = 4000")
        + &built_in("cost", "")
        + "[routes.main]\npolicy = \"cost\"\n";
    let gateway = Gateway::start(&config).await;
    for (words, expected) in [(10, "small"), (1_500, "large"), (8_000, "large")] {
        let answer = ask(&gateway, &chat("main", &"word ".repeat(words))).await;
        assert_eq!(answer.text(), expected, "{words}");
    }
    let answer = ask(&gateway, &chat("small/chat", &"word ".repeat(8_000))).await;
    assert_eq!(answer.text(), "small", "it was asked for by name");
}
