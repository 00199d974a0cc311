//! Errors in OpenAI's shape, with the status that its clients expect.

use bytes::Bytes;
use http::Method;
use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gate, Gateway, Step};
use serde_json::{Value, json};

use crate::fleet::{ask, ask_with, chat, error, in_order, stream_error, streamed, text_of, usage};
use crate::raw;

async fn send(gateway: &Gateway, method: Method, path: &str, body: impl Into<Bytes>) -> Answer {
    client::send(client::request(method, &gateway.url(path), &[], body.into())).await.whole().await
}

#[tokio::test]
async fn an_invalid_chat_request_is_rejected_with_its_fault() {
    let model = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let messages = r#""messages":[{"role":"user","content":"hi"}]"#;
    let cases: [(&str, Vec<u8>, &str, Value); 13] = [
        ("nothing", b"".to_vec(), "invalid_json", Value::Null),
        ("no JSON", b"hello".to_vec(), "invalid_json", Value::Null),
        ("half of it", br#"{"model":"main","messages":[{"role""#.to_vec(), "invalid_json", Value::Null),
        ("more after it", format!(r#"{{"model":"main",{messages}}} x"#).into(), "invalid_json", Value::Null),
        (
            "no UTF-8",
            b"{\"model\":\"main\",\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}".to_vec(),
            "invalid_json",
            Value::Null,
        ),
        (
            "deep nesting",
            format!(r#"{{"model":"main",{messages},"x":{}"#, "[".repeat(100_000)).into(),
            "invalid_json",
            Value::Null,
        ),
        ("a list", b"[]".to_vec(), "invalid_type", Value::Null),
        ("no model", format!("{{{messages}}}").into(), "missing_required_parameter", json!("model")),
        ("no messages", br#"{"model":"main"}"#.to_vec(), "missing_required_parameter", json!("messages")),
        ("a number as model", format!(r#"{{"model":1,{messages}}}"#).into(), "invalid_type", json!("model")),
        ("no message", br#"{"model":"main","messages":[]}"#.to_vec(), "empty_array", json!("messages")),
        (
            "a word for stream",
            format!(r#"{{"model":"main",{messages},"stream":"yes"}}"#).into(),
            "invalid_type",
            json!("stream"),
        ),
        (
            "two models",
            format!(r#"{{"model":"main",{messages},"model":"a/chat"}}"#).into(),
            "duplicate_parameter",
            json!("model"),
        ),
    ];
    for (what, body, code, param) in cases {
        let answer = send(&gateway, Method::POST, "/v1/chat/completions", body).await;
        assert_eq!(answer.status, 400, "{what}: {}", String::from_utf8_lossy(&answer.body));
        error(&answer, 400, code);
        let error = answer.json()["error"].clone();
        assert_eq!((&error["type"], &error["param"]), (&json!("invalid_request_error"), &param), "{what}");
    }
    assert_eq!(model.requests().len(), 0);
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.status, 200, "the gateway goes on");
}

#[tokio::test]
async fn an_unknown_model_path_or_method_is_reported_with_the_known_ones() {
    let gateway = Gateway::start(&in_order(&[&FakeModel::saying("hello there").await], "")).await;
    let answer = ask(&gateway, &chat("gpt-99", "hi")).await;
    let message = error(&answer, 404, "model_not_found");
    assert_eq!(message, "there is no route or model `gpt-99`: GET /v1/models lists what there is");
    assert_eq!(answer.json()["error"]["param"], "model");

    let answer = send(&gateway, Method::POST, "/v1/nothing", "{}").await;
    assert!(error(&answer, 404, "unknown_url").contains("POST /v1/chat/completions"));
    let answer = send(&gateway, Method::GET, "/v1/chat/completions", "").await;
    assert!(error(&answer, 405, "method_not_allowed").contains("use POST"));
    assert_eq!(answer.header("allow"), Some("POST"));
    let answer = send(&gateway, Method::DELETE, "/v1/models", "").await;
    assert!(error(&answer, 405, "method_not_allowed").contains("use GET"));
    let answer = send(&gateway, Method::GET, "/v1/responses/resp_1/cancel", "").await;
    assert!(error(&answer, 405, "method_not_allowed").contains("use POST"));
    // These are no ids of responses.
    for path in ["/v1/responses/compact", "/responses/input_tokens/"] {
        let answer = send(&gateway, Method::POST, path, "{}").await;
        let message = error(&answer, 404, "unknown_url");
        assert!(message.starts_with(&format!("nothing at {path}: this gateway serves")), "{message}");
    }
}

#[tokio::test]
async fn a_body_above_the_limit_is_rejected_with_or_without_a_length() {
    let model = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\nmax_body_bytes = 1000\n")).await;
    let announced =
        raw::send_and_read(&gateway, format!("{}content-length: 5000000000\r\n\r\n", raw::head()).as_bytes())
            .await;
    let body = chat("main", &"x".repeat(1000)).to_string();
    let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let chunked = raw::send_and_read(
        &gateway,
        format!("{}transfer-encoding: chunked\r\n\r\n{chunk}", raw::head()).as_bytes(),
    )
    .await;
    for answer in [announced, chunked] {
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(
            answer.contains("application/json") && answer.contains(r#""code":"request_too_large""#),
            "{answer}"
        );
        assert!(answer.contains("larger than 1000 bytes"), "{answer}");
    }
    assert_eq!(ask(&gateway, &chat("main", &"x".repeat(800))).await.status, 200);
    assert_eq!(model.requests().len(), 1);
}

#[tokio::test]
async fn headers_above_the_limit_are_rejected() {
    const LIMIT: usize = 8 << 10;
    let model = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\nmax_header_bytes = \"8 KiB\"\n")).await;
    let mut head = raw::head() + "x-long: ";
    head += &"x".repeat(LIMIT - head.len());
    let answer = raw::send_and_read(&gateway, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn an_invalid_value_of_a_gateway_header_is_rejected_by_name() {
    let model = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let long = "x".repeat(129);
    let cases = [
        ("x-pointsman-deadline-ms", "soon"),
        ("x-pointsman-deadline-ms", "-1"),
        ("x-pointsman-prefer", "luck"),
        ("x-pointsman-session", &long),
    ];
    for (name, value) in cases {
        let answer = ask_with(&gateway, &[(name, value)], &chat("main", "hi")).await;
        let message = error(&answer, 400, "invalid_header");
        assert!(message.starts_with(&format!("the header `{name}` has to be ")), "{message}");
        assert_eq!(answer.json()["error"]["param"], name);
    }
    assert_eq!(model.requests().len(), 0);
}

#[tokio::test]
async fn an_answer_after_the_clients_deadline_is_abandoned() {
    let model = FakeModel::always(Step::hang()).await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let answer = ask_with(&gateway, &[("x-pointsman-deadline-ms", "100")], &chat("main", "hi")).await;
    let message = error(&answer, 504, "deadline_exceeded");
    assert!(message.starts_with("no model answered within "), "{message}");
    assert_eq!(answer.header("x-pointsman-attempts"), Some("1"));
    model.hung_up(1).await;
    let line = &usage(&gateway).await[0];
    assert_eq!((&line["failed"], &line["cancelled"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn a_stream_beyond_the_clients_deadline_is_cut() {
    let never = Gate::new();
    let model = FakeModel::always(Step::stream(&["before ", "after"]).wait_after(1, &never)).await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let url = gateway.url("/v1/chat/completions");
    let deadline = [("x-pointsman-deadline-ms", "500")];
    let stream = client::stream_with(&url, &deadline, &streamed("main", "hi")).await;
    assert_eq!(stream.status, 200);
    let events = stream.events().await;
    assert_eq!(text_of(&events), "before ");
    let error = stream_error(&events);
    assert_eq!(
        (&error["code"], &error["message"]),
        (&json!("stream_broken"), &json!("the time for the request ran out"))
    );
    model.hung_up(1).await;
    let line = &usage(&gateway).await[0];
    assert_eq!((&line["failed"], &line["answered"], &line["cancelled"]), (&json!(1), &json!(0), &json!(0)));
    assert!(line["output_tokens"].as_u64() > Some(0), "what came is paid for: {line}");
}

#[tokio::test]
async fn an_answer_after_the_timeout_of_the_route_is_abandoned() {
    let model = FakeModel::always(Step::hang()).await;
    let gateway = Gateway::start(&in_order(&[&model], "timeout = \"100ms\"\n")).await;
    error(&ask(&gateway, &chat("main", "hi")).await, 504, "deadline_exceeded");
    let generous = [("x-pointsman-deadline-ms", "600000")];
    error(&ask_with(&gateway, &generous, &chat("main", "hi")).await, 504, "deadline_exceeded");
}
