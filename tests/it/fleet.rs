//! Configurations, requests, and accessors of answers.

use pointsman_tests::client::{self, Answer, Stream};
use pointsman_tests::planted::{self, PLANTED};
use pointsman_tests::{FakeModel, Gateway};
use serde_json::{Value, json};

/// Returns a configuration with the models `a/chat`, `b/chat` … on a backend each, and a route
/// `main` that tries them in this order, since each costs more than the one before: `a/chat` $1 a
/// million input tokens and $2 a million output tokens, `b/chat` twice that. `more` goes below
/// the route: first keys of its own, then further tables.
pub fn in_order(models: &[&FakeModel], more: &str) -> String {
    let names = ["a", "b", "c"];
    let mut config = String::new();
    for ((name, model), price) in names.iter().zip(models).zip(1..) {
        config += &backend(name, model, "");
        config += &self::model(&format!("{name}/chat"), price, "");
    }
    config + &built_in("cost", "") + "[routes.main]\npolicy = \"cost\"\nbackoff = \"1ms\"\n" + more
}

/// Returns the table of a fake model as a backend, with a planted key; `more` are further keys.
pub fn backend(name: &str, model: &FakeModel, more: &str) -> String {
    let key = match more.contains("api_key") {
        true => String::new(),
        false => format!("api_key_env = \"{}\"\n", planted::BACKEND_KEY_ENV),
    };
    format!("[backends.{name}]\nbase_url = \"{}\"\n{key}{more}\n", model.base_url())
}

/// Returns the table of a model that costs `price` dollars a million input tokens and twice that
/// for output tokens; `more` are further keys.
pub fn model(id: &str, price: u32, more: &str) -> String {
    format!("[models.\"{id}\"]\ninput_price = {price}\noutput_price = {}\n{more}\n", price * 2)
}

/// Returns the table of a built-in policy under its own name; `more` are further keys.
pub fn built_in(name: &str, more: &str) -> String {
    format!("[policies.{name}]\nlimits.deadline = \"60s\"\nsource = \"builtin:{name}\"\n{more}\n")
}

/// Built-in policies that select one model, with their grants.
pub const ROUTING_POLICIES: [(&str, &str); 9] = [
    ("cost", ""),
    ("performance", ""),
    ("task-type", "grants = [\"prompt\"]"),
    ("dynamic", "grants = [\"prompt\"]"),
    ("priority", ""),
    ("weighted", ""),
    ("round-robin", ""),
    ("bandit", "grants = [\"state\"]"),
    ("learned", "grants = [\"prompt\"]"),
];

/// Built-in policies that can split a request into tasks, with their grants.
pub const PLANNING_POLICIES: [(&str, &str); 8] = [
    ("auto", "grants = [\"prompt\"]"),
    ("multimodal", ""),
    ("sequential", ""),
    ("parallel", "grants = [\"prompt\", \"outputs\"]"),
    ("collaborate", "grants = [\"outputs\"]"),
    ("cascade", "grants = [\"prompt\", \"outputs\"]"),
    ("judge", "grants = [\"outputs\"]"),
    ("semantic", "grants = [\"outputs\", \"state\"]"),
];

/// Returns a configuration with more time for its policies: other tests keep the machine busy.
pub fn with_ample_deadlines(config: &str) -> String {
    config.replace("\nsource = \"builtin:", "\nlimits.deadline = \"60s\"\nsource = \"builtin:")
}

/// Returns a request with one message that contains a planted secret.
pub fn chat(model: &str, text: &str) -> Value {
    let message = json!({ "role": "user", "content": text, "name": format!("{PLANTED}-author") });
    json!({ "model": model, "messages": [message], "user": format!("{PLANTED}-user") })
}

/// Returns such a request for a stream.
pub fn streamed(model: &str, text: &str) -> Value {
    let mut body = chat(model, text);
    body["stream"] = true.into();
    body
}

/// Returns a request with a picture in base64.
pub fn with_picture(model: &str, base64: &str) -> Value {
    let picture = json!({ "url": format!("data:image/png;base64,{base64}") });
    let parts =
        json!([{ "type": "text", "text": "what is this?" }, { "type": "image_url", "image_url": picture }]);
    json!({ "model": model, "messages": [{ "role": "user", "content": parts }] })
}

/// Sends a chat request and waits for the whole answer.
pub async fn ask(gateway: &Gateway, body: &Value) -> Answer {
    client::post(&gateway.url("/v1/chat/completions"), body).await
}

/// Sends a chat request with headers, and waits for the whole answer.
pub async fn ask_with(gateway: &Gateway, headers: &[(&str, &str)], body: &Value) -> Answer {
    client::post_with(&gateway.url("/v1/chat/completions"), headers, body).await
}

/// Sends a chat request and returns when the head of the answer is there.
pub async fn open(gateway: &Gateway, body: &Value) -> Stream {
    client::stream(&gateway.url("/v1/chat/completions"), body).await
}

/// Reloads the files on disk. Panics unless all of them took effect.
pub async fn reload(gateway: &Gateway) {
    let report = client::post(&gateway.admin("/admin/reload"), &Value::Null).await;
    assert_eq!(report.status, 200, "{}", report.json());
}

/// Returns the lines of `GET /admin/usage`.
pub async fn usage(gateway: &Gateway) -> Vec<Value> {
    let lines = client::get(&gateway.admin("/admin/usage")).await.json();
    lines.as_array().expect("a list of lines").clone()
}

/// Returns a model from `GET /admin/models`.
pub async fn status(gateway: &Gateway, id: &str) -> Value {
    let models = client::get(&gateway.admin("/admin/models")).await.json();
    let models = models.as_array().expect("a list of models");
    models.iter().find(|model| model["id"] == id).expect("the model is listed").clone()
}

/// Returns the message of an error. Panics unless the answer is an error in OpenAI's shape with
/// this status and code.
pub fn error(answer: &Answer, status: u16, code: &str) -> String {
    assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    let error = body["error"].as_object().expect("an `error` object");
    let mut members: Vec<&str> = error.keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["code", "message", "param", "type"]);
    assert_eq!(error["code"], code, "{body}");
    assert!(error["type"].is_string(), "{body}");
    error["message"].as_str().expect("the message is text").to_owned()
}

/// Returns the text in the chunks of a stream.
pub fn text_of(events: &[String]) -> String {
    let chunks = events.iter().filter_map(|event| serde_json::from_str::<Value>(event).ok());
    chunks.filter_map(|chunk| Some(chunk["choices"][0]["delta"]["content"].as_str()?.to_owned())).collect()
}

/// Returns the code of the error that ends a stream. Panics if it ends otherwise.
pub fn stream_error(events: &[String]) -> Value {
    let last = events.last().expect("a stream with events");
    let error: Value = serde_json::from_str(last).expect("the last event is JSON");
    assert!(error["error"]["message"].is_string(), "the last event is an error: {events:#?}");
    error["error"].clone()
}
