//! Requests that one model answers as they are: embeddings, audio, images and moderations.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request as HttpRequest};
use http_body_util::Full;
use pointsman_tests::client::{self, Answer, Stream};
use pointsman_tests::{FakeModel, Gateway, Step};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fleet::{backend, built_in, error, model};

/// Media type of the forms that tests send.
const FORM: &str = "multipart/form-data; boundary=------limit";

/// Returns a configuration with a route `main` over one model on each backend, in this order.
fn config(models: &[&FakeModel], keys: &str, more: &str) -> String {
    let mut config = String::new();
    for ((name, fake), price) in ["a", "b", "c"].iter().zip(models).zip(1..) {
        config += &backend(name, fake, "");
        config += &model(&format!("{name}/m"), price, keys);
    }
    config + &built_in("cost", "") + "[routes.main]\npolicy = \"cost\"\nbackoff = \"1ms\"\n" + more
}

async fn start(models: &[&FakeModel], keys: &str, more: &str) -> Gateway {
    Gateway::start(&config(models, keys, more)).await
}

/// Returns a form of fields, of which those with a file name are files.
fn form(fields: &[(&str, Option<&str>, &str)]) -> String {
    let mut form = String::new();
    for (name, file_name, content) in fields {
        let file = file_name.map_or_else(String::new, |it| format!("; filename=\"{it}\"\r\nX-Own: 1"));
        form += &format!(
            "--------limit\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n"
        );
    }
    form + "--------limit--\r\n"
}

async fn send_form(gateway: &Gateway, path: &str, body: impl Into<Bytes>) -> Stream {
    let request = HttpRequest::builder()
        .method(Method::POST)
        .uri(gateway.url(path))
        .header("content-type", FORM)
        .body(Full::new(body.into()))
        .expect("a valid request");
    client::send(request).await
}

async fn post_form(gateway: &Gateway, path: &str, fields: &[(&str, Option<&str>, &str)]) -> Answer {
    send_form(gateway, path, form(fields)).await.whole().await
}

/// Returns the value of a field of `/proc/PID/status` of the gateway, in bytes.
fn peak_memory(gateway: &Gateway) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", gateway.process())).expect("the gateway runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

async fn stored_uploads(gateway: &Gateway) -> f64 {
    let page = client::get(&gateway.admin("/metrics")).await;
    let page = String::from_utf8_lossy(&page.body).into_owned();
    let line = page.lines().find_map(|line| line.strip_prefix("pointsman_stored_uploads_bytes "));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no sample in {page}"))
}

#[tokio::test]
async fn json_requests_reach_their_path_with_only_the_models_name_changed() {
    for (path, operation, request, answer) in [
        (
            "embeddings",
            "embedding",
            r#"{ "input" : ["a", "b"], "new":1.0, "model":"main"}"#,
            r#"{"object":"list", "data":[{"embedding":"AACAPw=="}],"usage":{"prompt_tokens":1000000}}"#,
        ),
        (
            "moderations",
            "moderation",
            r#"{"model":"main","input":[{"type":"text","text":"a"}]}"#,
            r#"{"results" : [{"flagged":false}]}"#,
        ),
        (
            "images/generations",
            "image",
            r#"{"model":"main","prompt":"a cat","n":2}"#,
            r#"{"created":1,"data":[{"b64_json":"AA=="}],"usage":{"input_tokens":1000000,"output_tokens":0}}"#,
        ),
    ] {
        let fake = FakeModel::always(Step::bytes("application/json", answer)).await;
        let gateway = start(&[&fake], &format!("operations = [\"{operation}\"]\n"), "").await;
        for prefix in ["/v1/", "/"] {
            let got =
                client::call(Method::POST, &gateway.url(&format!("{prefix}{path}/")), &[], request).await;
            assert_eq!((got.status.as_u16(), &got.body[..]), (200, answer.as_bytes()), "{path}");
            assert_eq!(got.header("content-type"), Some("application/json"));
            assert_eq!(got.header("x-pointsman-model"), Some("a/m"));
            if path != "moderations" {
                assert_eq!(got.header("x-pointsman-cost-usd"), Some("1"), "{path}");
            }
        }
        let sent = fake.request(1).await;
        assert_eq!(sent.path, format!("/v1/{path}"));
        assert_eq!(String::from_utf8_lossy(&sent.body), request.replace("\"main\"", "\"m\""));
    }
}

#[tokio::test]
async fn forms_reach_their_path_with_only_the_models_name_changed() {
    let fields = [
        ("file", Some("a.mp3"), "ID3 sound"),
        ("prompt", None, "names: Ада"),
        ("model", None, "main"),
        ("timestamp_granularities[]", None, "word"),
    ];
    for (path, operation) in
        [("audio/transcriptions", "transcription"), ("audio/translations", "translation")]
    {
        let fake = FakeModel::always(Step::json(&json!({ "text": "Hi" }))).await;
        let keys = format!("operations = [\"{operation}\"]\ninputs = [\"audio\"]\n");
        let gateway = start(&[&fake], &keys, "").await;
        let answer = post_form(&gateway, &format!("/v1/{path}"), &fields).await;
        assert_eq!(answer.json(), json!({ "text": "Hi" }));
        let sent = fake.request(1).await;
        assert_eq!(sent.path, format!("/v1/{path}"));
        assert_eq!(sent.header("content-type"), Some(FORM));
        let expected = form(&fields).replace("\r\nmain\r\n", "\r\nm\r\n");
        assert_eq!(String::from_utf8_lossy(&sent.body), expected);
    }
}

#[tokio::test]
async fn images_are_edited_by_forms_and_by_json() {
    let fake = FakeModel::always(Step::json(&json!({ "data": [{ "url": "u" }] }))).await;
    let keys = "operations = [\"image\"]\ninputs = [\"text\", \"image\"]\n";
    let gateway = start(&[&fake], keys, "").await;
    let fields = [
        ("image[]", Some("a.png"), "1"),
        ("image[]", Some("b.png"), "2"),
        ("model", None, "main"),
        ("prompt", None, "a hat"),
    ];
    assert_eq!(post_form(&gateway, "/v1/images/edits", &fields).await.status, 200);
    let json = json!({ "model": "main", "prompt": "a hat", "images": [{ "image_url": "data:" }] });
    assert_eq!(client::post(&gateway.url("/v1/images/edits"), &json).await.status, 200);
    assert_eq!(fake.request(2).await.json()["model"], "m");

    let texts = FakeModel::always(Step::json(&json!({ "data": [] }))).await;
    let gateway = start(&[&texts], "operations = [\"image\"]\n", "").await;
    let answer = post_form(&gateway, "/v1/images/edits", &fields).await;
    let message = error(&answer, 400, "unsupported_request");
    assert!(message.contains("no model of the route accepts image"), "{message}");
}

#[tokio::test]
async fn a_transcript_has_the_media_type_of_its_format() {
    let vtt = "WEBVTT\n\n00:00.000 --> 00:01.000\nHi\n";
    let fake = FakeModel::always(Step::bytes("text/vtt", vtt)).await;
    let keys = "operations = [\"transcription\"]\ninputs = [\"audio\"]\n";
    let gateway = start(&[&fake], keys, "").await;
    let fields = [("file", Some("a.mp3"), "x"), ("model", None, "main"), ("response_format", None, "vtt")];
    let answer = post_form(&gateway, "/v1/audio/transcriptions", &fields).await;
    assert_eq!(
        (&answer.body[..], answer.header("content-type")),
        (vtt.as_bytes(), Some("text/vtt; charset=utf-8"))
    );
    let page = FakeModel::always(Step::bytes("text/html", "<script>")).await;
    let gateway = start(&[&page], keys, "").await;
    let answer = post_form(&gateway, "/v1/audio/transcriptions", &fields).await;
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
}

const EVENTS: &str = "event: transcript.text.delta\r\ndata: {\"type\":\"transcript.text.delta\",\"delta\":\"Hi\"}\r\n\r\n\
    data: {\"type\":\"transcript.text.done\",\"text\":\"Hi\",\"usage\":{\"type\":\"tokens\",\"input_tokens\":1000000,\
    \"output_tokens\":500000,\"total_tokens\":1500000}}\n\n";

#[tokio::test]
async fn the_events_of_a_transcript_pass_and_their_usage_is_counted() {
    let fake = FakeModel::always(Step::bytes("text/event-stream", EVENTS)).await;
    let whole = FakeModel::always(Step::json(&json!({ "text": "Hi" }))).await;
    let keys = "operations = [\"transcription\"]\ninputs = [\"audio\"]\n";
    let gateway = start(&[&fake, &whole], keys, "").await;
    let fields = |model| [("file", Some("a.mp3"), "x"), ("model", None, model), ("stream", None, "true")];
    let answer = post_form(&gateway, "/v1/audio/transcriptions", &fields("main")).await;
    assert_eq!(String::from_utf8_lossy(&answer.body), EVENTS);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let id = answer.header("x-pointsman-decision-id").expect("an id").to_owned();
    let decision = client::get(&gateway.admin(&format!("/admin/decisions/{id}"))).await.json();
    assert_eq!(decision["outcome"]["cost_usd"], 2.0, "{decision}");
    // A model that cannot stream answers whole, as OpenAI's `whisper-1` does.
    let answer = post_form(&gateway, "/v1/audio/transcriptions", &fields("b/m")).await;
    assert_eq!(answer.json(), json!({ "text": "Hi" }));
}

#[tokio::test]
async fn speech_arrives_bit_by_bit_and_a_cut_is_seen() {
    let fake = FakeModel::builder()
        .then(Step::chunks("audio/mpeg", ["ID3", "sound"]))
        .then(Step::chunks("audio/mpeg", ["ID3", "sound"]).die_after(1))
        .then(Step::bytes("application/json", r#"{"error":{"message":"no voice"}}"#))
        .otherwise(|_| Step::status(500))
        .start()
        .await;
    let gateway = start(&[&fake], "operations = [\"speech\"]\n", "max_attempts = 1\n").await;
    let body = json!({ "model": "main", "input": "Hello", "voice": "alloy" });
    let url = gateway.url("/v1/audio/speech");
    let answer = client::post(&url, &body).await;
    assert_eq!((&answer.body[..], answer.header("content-type")), (&b"ID3sound"[..], Some("audio/mpeg")));
    let mut cut = client::stream(&url, &body).await;
    assert_eq!(cut.chunk().await.expect("a chunk").expect("sound"), "ID3");
    assert!(matches!(cut.chunk().await, Some(Err(_))), "the connection has to break");
    // An error in place of sound is one.
    error(&client::post(&url, &body).await, 502, "all_models_failed");
}

#[tokio::test]
async fn another_model_gets_the_same_upload() {
    let first = FakeModel::always(Step::status(503)).await;
    let second = FakeModel::always(Step::json(&json!({ "text": "Hi" }))).await;
    let keys = "operations = [\"transcription\"]\ninputs = [\"audio\"]\n";
    let gateway = start(&[&first, &second], keys, "").await;
    // Larger than what stays in memory.
    let sound = "sound ".repeat(500_000);
    let fields = [("model", None, "main"), ("file", Some("a.mp3"), sound.as_str())];
    let answer = post_form(&gateway, "/v1/audio/transcriptions", &fields).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-pointsman-model")), (200, Some("b/m")));
    let (one, other) = (first.request(1).await, second.request(1).await);
    assert!(one.body == other.body && one.body.len() > sound.len());
    assert_eq!(stored_uploads(&gateway).await, 0.0);
}

#[tokio::test]
async fn a_large_upload_does_not_fill_the_memory() {
    const MIB: usize = 1 << 20;
    let fake = FakeModel::always(Step::json(&json!({ "text": "Hi" }))).await;
    let keys = "operations = [\"transcription\"]\ninputs = [\"audio\"]\n";
    let gateway = start(&[&fake], keys, "").await;
    let small = [("file", Some("a.mp3"), "x"), ("model", None, "main")];
    assert_eq!(post_form(&gateway, "/v1/audio/transcriptions", &small).await.status, 200);
    let before = peak_memory(&gateway);
    let sound = "x".repeat(100 * MIB);
    // As many clients send it, with the model's name after the file.
    let large = [("file", Some("a.mp3"), sound.as_str()), ("model", None, "main")];
    let answer = post_form(&gateway, "/v1/audio/transcriptions", &large).await;
    assert_eq!(answer.status, 200);
    assert!(fake.request(2).await.body.len() > 100 * MIB);
    let grown = peak_memory(&gateway).saturating_sub(before);
    assert!(grown < 16 * MIB as u64, "the gateway's memory grew by {} MiB", grown / MIB as u64);
}

#[tokio::test]
async fn uploads_are_limited_one_by_one_and_together() {
    let fake = FakeModel::always(Step::json(&json!({ "text": "Hi" }))).await;
    let keys = "operations = [\"transcription\"]\ninputs = [\"audio\"]\n";
    let limits = "[uploads]\nmax_bytes = \"3 MiB\"\nlimit = \"4 MiB\"\n";
    let gateway = start(&[&fake], keys, limits).await;
    let too_large = "x".repeat(4 << 20);
    let fields = [("file", Some("a.mp3"), too_large.as_str()), ("model", None, "main")];
    let answer = post_form(&gateway, "/v1/audio/transcriptions", &fields).await;
    error(&answer, 413, "request_too_large");

    // Two that are not complete.
    let part = form(&[("file", Some("a.mp3"), &"x".repeat(2 << 20))]);
    let unfinished = part.trim_end_matches("--------limit--\r\n");
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = crate::raw::connect(&gateway).await;
        let head = format!(
            "POST /v1/audio/transcriptions HTTP/1.1\r\nhost: localhost\r\ncontent-type: {FORM}\r\n\
             content-length: {}\r\n\r\n",
            3 << 20
        );
        stream.write_all((head + unfinished).as_bytes()).await.expect("the gateway reads");
        open.push(stream);
    }
    while stored_uploads(&gateway).await < 3.0 * f64::from(1 << 20) {}
    let large = "x".repeat(2 << 20);
    let fields = [("file", Some("a.mp3"), large.as_str()), ("model", None, "main")];
    let answer = post_form(&gateway, "/v1/audio/transcriptions", &fields).await;
    error(&answer, 503, "overloaded");
    assert_eq!(answer.header("retry-after"), Some("5"));
    // Files of clients that hang up are gone.
    drop(open);
    while stored_uploads(&gateway).await > 0.0 {}
    assert_eq!(post_form(&gateway, "/v1/audio/transcriptions", &fields).await.status, 200);
}

#[tokio::test]
async fn the_time_of_an_upload_is_not_that_of_its_answer() {
    let fake = FakeModel::always(Step::json(&json!({ "text": "Hi" }))).await;
    let keys = "operations = [\"transcription\"]\ninputs = [\"audio\"]\n";
    let gateway = start(&[&fake], keys, "timeout = \"2s\"\n").await;
    let body = form(&[("file", Some("a.mp3"), "x"), ("model", None, "main")]);
    let mut stream = crate::raw::connect(&gateway).await;
    let head = format!(
        "POST /v1/audio/transcriptions HTTP/1.1\r\nhost: localhost\r\ncontent-type: {FORM}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let (first, rest) = body.split_at(body.len() / 2);
    let begun = Instant::now();
    stream.write_all((head + first).as_bytes()).await.expect("the gateway reads");
    // Longer than the route allows for the answer.
    while begun.elapsed() < Duration::from_millis(2_100) {
        stored_uploads(&gateway).await;
    }
    stream.write_all(rest.as_bytes()).await.expect("the gateway reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("the gateway answers");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn what_is_no_form_or_no_request_is_rejected_by_name() {
    let fake = FakeModel::always(Step::status(500)).await;
    let keys = "operations = [\"transcription\"]\ninputs = [\"audio\"]\n";
    let gateway = start(&[&fake], keys, "").await;
    let path = "/v1/audio/transcriptions";
    let broken = send_form(&gateway, path, "--------limit\r\nnonsense").await.whole().await;
    let message = error(&broken, 400, "invalid_form");
    assert!(message.contains("its last boundary is missing"), "{message}");
    let answer = post_form(&gateway, path, &[("model", None, "main")]).await;
    error(&answer, 400, "missing_required_parameter");
    assert_eq!(answer.json()["error"]["param"], "file");
    let answer = post_form(&gateway, path, &[("file", Some("a.mp3"), "x")]).await;
    assert_eq!(answer.json()["error"]["param"], "model");
    let json = client::post(&gateway.url(path), &json!({ "model": "main" })).await;
    error(&json, 415, "unsupported_media_type");
    let form_for_json = send_form(&gateway, "/v1/embeddings", form(&[("model", None, "main")])).await;
    error(&form_for_json.whole().await, 415, "unsupported_media_type");
    let text = "x".repeat(2 << 20);
    let answer = post_form(&gateway, path, &[("prompt", None, &text)]).await;
    error(&answer, 400, "invalid_form");
    for body in [json!({ "model": "main" }), json!({ "model": "main", "input": [] }), json!([1])] {
        let answer = client::post(&gateway.url("/v1/embeddings"), &body).await;
        assert_eq!(answer.status, 400, "{body}");
    }
    let (chat, embedding) = (json!({ "model": "main", "input": "a" }), "/v1/embeddings");
    let message = error(&client::post(&gateway.url(embedding), &chat).await, 400, "unsupported_request");
    assert!(message.contains("no model of the route serves embedding requests"), "{message}");
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn vectors_of_gemini_are_translated() {
    let vectors = json!({ "embeddings": [{ "values": [0.5, -1] }, { "values": [1, 2] }] });
    let fake = FakeModel::always(Step::json(&vectors)).await;
    let config = backend("a", &fake, "kind = \"gemini\"\n")
        + &model("a/gemini-embedding-001", 1, "operations = [\"embedding\"]\n")
        + &built_in("cost", "")
        + "[routes.main]\npolicy = \"cost\"\n";
    let gateway = Gateway::start(&config).await;
    let body = json!({ "model": "main", "input": ["one", "two"], "dimensions": 2, "user": "u" });
    let answer = client::post(&gateway.url("/v1/embeddings"), &body).await;
    assert_eq!(answer.header("x-pointsman-dropped"), Some("user"));
    let answer = answer.json();
    assert_eq!(answer["data"][0]["embedding"], json!([0.5, -1]), "{answer}");
    assert_eq!(answer["data"][1]["index"], 1);
    let sent = fake.request(1).await;
    assert!(sent.path.ends_with("/models/gemini-embedding-001:batchEmbedContents"), "{}", sent.path);
    assert_eq!(sent.json()["requests"][1]["content"]["parts"][0]["text"], "two");
    let encoded = json!({ "model": "main", "input": ["one", "two"], "encoding_format": "base64" });
    let answer = client::post(&gateway.url("/v1/embeddings"), &encoded).await.json();
    assert_eq!(answer["data"][0]["embedding"], "AAAAPwAAgL8=", "{answer}");
}

#[tokio::test]
async fn azure_has_the_deployment_in_the_path_of_every_operation() {
    let fake = FakeModel::builder()
        .otherwise(|request| match request.path.contains("embeddings") {
            true => Step::json(&json!({ "data": [{ "embedding": [1] }] })),
            false => Step::says(request, "hello"),
        })
        .start()
        .await;
    let config = format!(
        "[backends.a]\nkind = \"azure\"\nbase_url = \"{}\"\nquery = {{ api-version = \"2024-10-21\" }}\n\
         api_key_env = \"{}\"\n",
        fake.base_url().trim_end_matches("/v1"),
        pointsman_tests::planted::BACKEND_KEY_ENV
    ) + &model("a/my-deployment", 1, "operations = [\"chat\", \"embedding\"]\n")
        + &built_in("cost", "")
        + "[routes.main]\npolicy = \"cost\"\n";
    let gateway = Gateway::start(&config).await;
    let chat = json!({ "model": "main", "messages": [{ "role": "user", "content": "hi" }] });
    assert_eq!(client::post(&gateway.url("/v1/chat/completions"), &chat).await.text(), "hello");
    let vector = json!({ "model": "main", "input": "hi" });
    assert_eq!(client::post(&gateway.url("/v1/embeddings"), &vector).await.status, 200);
    let sent = [fake.request(1).await, fake.request(2).await];
    assert_eq!(sent[0].path, "/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21");
    assert_eq!(sent[1].path, "/openai/deployments/my-deployment/embeddings?api-version=2024-10-21");
    assert!(sent.iter().all(|request| request.header("api-key").is_some()));
}

#[tokio::test]
async fn policies_see_the_operation_and_planning_ones_route() {
    let fake = FakeModel::always(Step::json(&json!({ "data": [{ "embedding": [1] }] }))).await;
    let keys = "operations = [\"embedding\"]\n";
    let more = built_in("sequential", "") + "[routes.chain]\npolicy = \"sequential\"\n";
    let gateway = start(&[&fake], keys, &more).await;
    let body = json!({ "model": "chain", "input": "a text" });
    let answer = client::post(&gateway.url("/v1/embeddings"), &body).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("x-pointsman-route")),
        (200, Some("sequential:routed"))
    );
    let id = answer.header("x-pointsman-decision-id").expect("an id").to_owned();
    let decision: Value = client::get(&gateway.admin(&format!("/admin/decisions/{id}"))).await.json();
    assert_eq!(decision["request"]["operation"], "embedding", "{decision}");
}
