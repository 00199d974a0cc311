//! Content of prompts and answers, which is in no span unless it is enabled.

use pointsman_tests::collector::{Collector, Span};
use pointsman_tests::{FakeModel, Gateway};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{span_named, to};
use crate::fleet::{ask, ask_with, backend, built_in, chat, in_order, model, open, streamed};

const CLIENT_KEY: &str = "pm-needle-client-key";
const BACKEND_KEY: &str = "sk-needle-backend-key";
const COLLECTOR_KEY: &str = "Basic needle-collector-key";

fn content_of(span: &Span, key: &str) -> Value {
    let text = span.get(key).as_str().unwrap_or_else(|| panic!("no `{key}`: {span:#?}"));
    serde_json::from_str(text).expect("messages are JSON")
}

#[tokio::test]
async fn no_span_contains_prompts_answers_or_keys() {
    let (collector, fake) = (Collector::start().await, FakeModel::saying("needle-answer").await);
    let hash: String = Sha256::digest(CLIENT_KEY).iter().map(|byte| format!("{byte:02x}")).collect();
    let config = backend("a", &fake, "api_key_env = \"BACKEND\"\n")
        + &model("a/chat", 1, "")
        + &built_in("cost", "")
        + &format!("[routes.main]\npolicy = \"cost\"\n[keys.app]\nhash = \"sha256:{hash}\"\n")
        + &to(&collector, "headers_env = { authorization = \"COLLECTOR\" }");
    let gateway =
        Gateway::start_with(&config, &[("BACKEND", BACKEND_KEY), ("COLLECTOR", COLLECTOR_KEY)]).await;
    let bearer = format!("Bearer {CLIENT_KEY}");
    let headers = [("authorization", bearer.as_str()), ("x-note", "needle-header")];
    for mut body in [chat("main", "needle-question"), streamed("main", "needle-question")] {
        body["messages"][0]["name"] = "needle-name".into();
        assert_eq!(ask_with(&gateway, &headers, &body).await.status, 200);
    }
    let spans = collector.spans_when(6).await;
    assert_eq!(span_named(&spans[..3], "chat main").get("pointsman.key"), "app", "its name may be seen");
    for export in collector.server.requests() {
        assert!(!String::from_utf8_lossy(&export.body).contains("needle"), "{:?}", export.body);
        assert_eq!(export.header("authorization"), Some(COLLECTOR_KEY), "the collector gets its own key");
        assert_eq!(export.header("content-type"), Some("application/x-protobuf"));
        assert_eq!(export.path, "/v1/traces");
    }
    assert!(!gateway.log().contains("needle"), "{}", gateway.log());
}

#[tokio::test]
async fn content_is_exported_if_it_is_enabled() {
    let (collector, fake) = (Collector::start().await, FakeModel::saying("hello there").await);
    let gateway = Gateway::start(&in_order(&[&fake], &to(&collector, "content = true"))).await;
    let mut body = chat("main", "how are you?");
    body["messages"] = json!([
        { "role": "system", "content": "be brief" },
        { "role": "user", "content": [
            { "type": "text", "text": "how are" },
            { "type": "text", "text": "you?" },
        ] },
    ]);
    ask(&gateway, &body).await;
    let spans = collector.spans_when(3).await;
    let request = span_named(&spans, "chat main");
    let text = |text: &str| json!([{ "type": "text", "content": text }]);
    assert_eq!(
        content_of(request, "gen_ai.input.messages"),
        json!([{ "role": "system", "parts": text("be brief") }, { "role": "user", "parts": text("how are\nyou?") }])
    );
    assert_eq!(
        content_of(request, "gen_ai.output.messages"),
        json!([{ "role": "assistant", "parts": text("hello there"), "finish_reason": "stop" }])
    );
    assert_eq!(request.get("pointsman.content.cut"), &Value::Null);
}

#[tokio::test]
async fn a_stream_is_exported_without_its_answer_and_a_long_text_is_truncated() {
    let (collector, fake) = (Collector::start().await, FakeModel::saying("hello there").await);
    let gateway = Gateway::start(&in_order(&[&fake], &to(&collector, "content = true"))).await;
    let long = "é".repeat(1 << 20);
    open(&gateway, &streamed("main", &long)).await.text().await;
    let spans = collector.spans_when(3).await;
    let request = span_named(&spans, "chat main");
    let input = content_of(request, "gen_ai.input.messages");
    let text = input[0]["parts"][0]["content"].as_str().expect("a text");
    assert!(long.starts_with(text) && text.len() == 32 << 10, "{} bytes", text.len());
    assert_eq!(request.get("pointsman.content.cut"), true);
    assert_eq!(request.get("gen_ai.output.messages"), &Value::Null);
}

#[tokio::test]
async fn content_that_is_not_recorded_is_not_shown_in_decisions() {
    let (collector, fake) = (Collector::start().await, FakeModel::saying("needle-answer").await);
    let gateway = Gateway::start(&in_order(&[&fake], &to(&collector, "content = true\nsample = 0"))).await;
    ask(&gateway, &chat("main", "needle-question")).await;
    assert!(!gateway.log().contains("needle"), "{}", gateway.log());
    assert!(gateway.stop().await.success());
    assert_eq!(collector.spans().len(), 0);
}
