//! Ends of streams: complete answers end at once, incomplete ones are reported, and after empty
//! ones another model is tried.

use pointsman_tests::{FakeModel, Gate, Gateway, Step};
use serde_json::{Value, json};

use crate::fleet::{ask, error, in_order, open, status, stream_error, streamed, text_of, usage};

const DONE: &str = "data: [DONE]\n\n";

fn choice(index: u32, delta: &Value, finish_reason: &Value) -> String {
    event(&json!({ "choices": [{ "index": index, "delta": delta, "finish_reason": finish_reason }] }))
}

fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}

fn role() -> String {
    choice(0, &json!({ "role": "assistant", "content": "" }), &Value::Null)
}

fn content(text: &str) -> String {
    choice(0, &json!({ "content": text }), &Value::Null)
}

fn finish(reason: &str) -> String {
    choice(0, &json!({}), &reason.into())
}

fn stream(events: &[String]) -> Step {
    Step::chunks("text/event-stream", events.to_vec())
}

/// Returns a backend that sends nothing more, and keeps the connection open.
fn keep_open(events: &[String]) -> Step {
    stream(events).wait_after(events.len(), &Gate::new())
}

async fn relay(step: Step, body: &Value) -> (Vec<String>, Gateway) {
    let model = FakeModel::always(step).await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let stream = open(&gateway, body).await;
    assert_eq!(stream.status, 200);
    (stream.events().await, gateway)
}

async fn is_blamed(gateway: &Gateway) -> bool {
    status(gateway, "a/chat").await["error_rate"] != 0.0
}

#[tokio::test]
async fn an_answer_ends_with_its_last_event_although_the_backend_keeps_the_stream_open() {
    let whole = [role(), content("Hi"), finish("stop")];
    let done = [&whole[..], &[DONE.to_owned()]].concat();
    for events in [&whole[..], &done, &[content("Hi"), DONE.to_owned()]] {
        let (events, gateway) = relay(keep_open(events), &streamed("main", "hi")).await;
        assert_eq!(text_of(&events), "Hi");
        assert!(!events.iter().any(|event| event.contains("error")), "{events:?}");
        assert!(!is_blamed(&gateway).await);
        assert_eq!(usage(&gateway).await[0]["answered"], 1);
    }
}

#[tokio::test]
async fn nothing_after_done_reaches_the_client() {
    let late = event(&json!({ "error": { "message": "late" } }));
    let step = stream(&[content("Hi"), finish("stop"), DONE.to_owned(), late]);
    let (events, gateway) = relay(step, &streamed("main", "hi")).await;
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    assert!(!is_blamed(&gateway).await);
}

#[tokio::test]
async fn an_answer_without_a_finish_reason_is_reported_as_truncated() {
    let unfinished = [
        vec![content("Hi"), choice(0, &json!({ "content": " the" }), &"".into())],
        vec![content("Hi"), choice(1, &json!({ "content": "Ho" }), &Value::Null), finish("stop")],
    ];
    for events in unfinished {
        let (events, gateway) = relay(stream(&events), &streamed("main", "hi")).await;
        assert_eq!(stream_error(&events)["code"], "stream_broken");
        assert!(is_blamed(&gateway).await);
        assert_eq!(usage(&gateway).await[0]["failed"], 1);
    }
}

#[tokio::test]
async fn an_error_is_never_hidden_and_ends_the_answer() {
    let usage = json!({ "prompt_tokens": 7, "completion_tokens": 1 });
    let error = json!({ "choices": [], "usage": usage, "error": { "message": "gone", "code": 502 } });
    let (events, gateway) = relay(keep_open(&[content("Hi"), event(&error)]), &streamed("main", "hi")).await;
    assert_eq!(stream_error(&events)["message"], "gone");
    assert!(is_blamed(&gateway).await);
}

#[tokio::test]
async fn an_empty_stream_leads_to_another_model() {
    let empty = [
        vec![],
        vec![DONE.to_owned()],
        vec![role(), DONE.to_owned()],
        vec![": ping\n\n".to_owned(), DONE.to_owned()],
        vec![event(&json!({ "choices": [] })), DONE.to_owned()],
        vec![choice(0, &json!({ "content": "" }), &"".into())],
        vec![event(&json!({ "choices": [], "error": { "message": "busy", "code": 429 } })), DONE.to_owned()],
    ];
    for events in empty {
        let (first, second) = (FakeModel::always(stream(&events)).await, FakeModel::saying("Ho").await);
        let gateway = Gateway::start(&in_order(&[&first, &second], "")).await;
        let stream = open(&gateway, &streamed("main", "hi")).await;
        assert_eq!(stream.headers["x-pointsman-model"], "b/chat", "{events:?}");
        assert_eq!(text_of(&stream.events().await), "Ho");
    }
}

#[tokio::test]
async fn an_answer_without_content_leads_to_another_model() {
    let empty = [
        json!({ "choices": [] }),
        json!({ "choices": [{ "message": { "content": null } }] }),
        json!({ "error": { "message": "busy", "code": 429 } }),
    ];
    for body in empty {
        let (first, second) = (FakeModel::always(Step::json(&body)).await, FakeModel::saying("Ho").await);
        let gateway = Gateway::start(&in_order(&[&first, &second], "")).await;
        let answer = ask(&gateway, &crate::fleet::chat("main", "hi")).await;
        assert_eq!(answer.text(), "Ho", "{body}");
    }
}

#[tokio::test]
async fn a_stream_is_recognised_by_its_media_type_or_its_first_line() {
    let events = [content("Hi"), finish("stop"), DONE.to_owned()];
    let types =
        ["Text/Event-Stream; Charset=UTF-8", "text/plain", "application/json", "application/octet-stream"];
    for media_type in types {
        let step = stream(&events).header("content-type", media_type);
        let (events, _) = relay(step, &streamed("main", "hi")).await;
        assert_eq!(text_of(&events), "Hi", "{media_type}");
    }
    let marked = stream(&events).preceded_by(["\u{feff}: hello\n\n"]).header("content-type", "text/plain");
    assert_eq!(text_of(&relay(marked, &streamed("main", "hi")).await.0), "Hi");
}

#[tokio::test]
async fn a_whole_answer_is_not_taken_for_a_stream() {
    let (first, second) = (FakeModel::always(Step::answer("Hi")).await, FakeModel::saying("Ho").await);
    let gateway = Gateway::start(&in_order(&[&first, &second], "")).await;
    assert_eq!(text_of(&open(&gateway, &streamed("main", "hi")).await.events().await), "Ho");
    let answer = ask(&gateway, &streamed("a/chat", "hi")).await;
    let message = error(&answer, 502, "all_models_failed");
    assert!(message.contains("asked for text/event-stream, got application/json"), "{message}");
}

#[tokio::test]
async fn any_content_of_the_model_is_forwarded_at_once() {
    let thought = json!([{ "type": "thinking", "thinking": [{ "type": "text", "text": "hm" }] }]);
    for delta in [json!({ "content": thought }), json!({ "x_reasoning": "hm" })] {
        let gate = Gate::new();
        let events = [choice(0, &delta, &Value::Null), content("Hi"), finish("stop"), DONE.to_owned()];
        let model = FakeModel::always(stream(&events).wait_after(1, &gate)).await;
        let gateway = Gateway::start(&in_order(&[&model], "")).await;
        let mut answer = open(&gateway, &streamed("main", "hi")).await;
        let first = answer.event().await.expect("an event");
        assert!(first.contains("hm"), "{first}");
        gate.open();
        assert_eq!(text_of(&answer.events().await), "Hi");
    }
}
