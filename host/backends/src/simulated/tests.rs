use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use pointsman_domain::model::{Modalities, Model, Operation};
use pointsman_tests::model;
use pointsman_wire::provider::ProviderDialect;
use serde_json::{Value, json};

use super::*;
use crate::{Backend, TransportConfig};

mod chat_members;
mod media;

fn fleet(behaviour: ModelBehaviour) -> Backend {
    let models = ["llama-70b", "clip", "whisper"].map(|name| (name.to_owned(), behaviour));
    let config = SimulatedConfig { models: BTreeMap::from(models), seed: 7 };
    Backend::new(TransportConfig::Simulated(config), ProviderDialect::OpenAi).unwrap()
}

fn chat<'a>(model: &'a Model, body: &Value) -> BackendCall<'a> {
    let body = Bytes::from(body.to_string()).into();
    BackendCall {
        model,
        operation: Operation::Chat,
        path: "chat/completions",
        content_type: None,
        body,
        headers: HeaderMap::new(),
    }
}

async fn call(fleet: &Backend, body: &Value) -> (u16, Vec<Bytes>) {
    let model = model("any", Modalities::TEXT | Modalities::IMAGE | Modalities::AUDIO);
    let mut reply = fleet.call(chat(&model, body)).await.unwrap();
    let mut chunks = Vec::new();
    while let Some(chunk) = reply.body.chunk().await {
        chunks.push(chunk.unwrap());
    }
    (reply.status, chunks)
}

async fn whole(fleet: &Backend, body: &Value) -> (u16, Value) {
    let (status, chunks) = call(fleet, body).await;
    (status, serde_json::from_slice(&chunks.concat()).unwrap())
}

async fn says(model: &str, content: Value) -> String {
    let body = json!({ "model": model, "messages": [{ "role": "user", "content": content }] });
    let (status, answer) = whole(&fleet(ModelBehaviour::default()), &body).await;
    assert_eq!(status, 200, "{answer}");
    answer["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
}

fn events(chunks: &[Bytes]) -> Vec<Value> {
    let text = String::from_utf8(chunks.concat()).unwrap();
    let data = text.strip_suffix("data: [DONE]\n\n").unwrap().split_terminator("\n\n");
    data.map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn the_same_prompt_gets_the_same_answer() {
    let prompt = json!("What is a semaphore?");
    assert_eq!(says("llama-70b", prompt.clone()).await, says("llama-70b", prompt).await);
}

#[tokio::test]
async fn an_answer_names_its_model_and_takes_up_the_prompt() {
    let answer = says("llama-70b", json!("Please explain how railway semaphores work")).await;
    assert!(answer.starts_with("llama-70b: about railway semaphores work"), "{answer}");
}

#[tokio::test]
async fn confidence_is_stated_on_request_and_low_for_a_long_prompt() {
    for (prompt, line) in [("Hello there", "\nCONFIDENCE: 98"), (&"why ".repeat(99), "\nCONFIDENCE: 40")] {
        let messages = json!([
            { "role": "system", "content": "Write a last line:\nCONFIDENCE: N" },
            { "role": "user", "content": prompt },
        ]);
        let (_, answer) =
            whole(&fleet(ModelBehaviour::default()), &json!({ "model": "llama-70b", "messages": messages }))
                .await;
        let said = answer["choices"][0]["message"]["content"].as_str().unwrap();
        assert!(said.ends_with(line), "{said}");
    }
    let quoted = says("llama-70b", json!("Write a last line:\nCONFIDENCE: N")).await;
    assert!(!quoted.contains("CONFIDENCE: 9"), "only a system message asks: {quoted}");
}

#[tokio::test]
async fn pictures_and_sounds_are_described() {
    let picture = json!([
        { "type": "text", "text": "How many bicycles?" },
        { "type": "image_url", "image_url": { "url": "data:image/png;base64,iVBORw0KGgo=" } },
    ]);
    let answer = says("clip", picture).await;
    assert!(answer.starts_with("clip: I see ") && answer.contains("(png, 1 KB)"), "{answer}");
    assert!(answer.contains("bicycles"), "{answer}");

    let sound = json!([{ "type": "input_audio", "input_audio": { "data": "UklGRg==", "format": "wav" } }]);
    let answer = says("whisper", sound).await;
    assert!(answer.starts_with("whisper: I hear (wav, 1 KB): "), "{answer}");
}

#[tokio::test]
async fn content_that_a_model_does_not_take_is_refused() {
    let part = json!({ "type": "image_url", "image_url": { "url": "https://example.org/a.png" } });
    let body = json!({ "model": "llama-70b", "messages": [{ "role": "user", "content": [part] }] });
    let model = model("text", Modalities::TEXT);
    assert_eq!(fleet(ModelBehaviour::default()).call(chat(&model, &body)).await.unwrap().status, 400);
}

#[tokio::test]
async fn a_request_that_a_server_would_refuse_is_refused() {
    let fleet = fleet(ModelBehaviour::default());
    assert_eq!(whole(&fleet, &json!({ "model": "llama-70b" })).await.0, 400);
    let (status, error) = whole(&fleet, &json!({ "model": "gpt-9", "messages": [] })).await;
    assert_eq!((status, &error["error"]["message"]), (404, &json!("the model \"gpt-9\" does not exist")));
}

#[tokio::test]
async fn the_limit_on_output_tokens_holds_and_usage_is_exact() {
    let messages = json!([{ "role": "user", "content": "one two three" }]);
    let body = json!({ "model": "llama-70b", "messages": messages, "max_tokens": 5 });
    let (_, answer) = whole(&fleet(ModelBehaviour::default()), &body).await;
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert_eq!(text.split_whitespace().count(), 5);
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    let usage = json!({ "prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12 });
    assert_eq!(answer["usage"], usage);
}

#[tokio::test]
async fn a_stream_has_the_content_of_the_whole_answer() {
    let mut body =
        json!({ "model": "llama-70b", "messages": [{ "role": "user", "content": "a poem on tea" }] });
    let fleet = fleet(ModelBehaviour::default());
    let (_, answer) = whole(&fleet, &body).await;
    body["stream"] = true.into();
    body["stream_options"] = json!({ "include_usage": true });
    let events = events(&call(&fleet, &body).await.1);
    let text: String =
        events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(answer["choices"][0]["message"]["content"], text);
    assert_eq!(events.last().unwrap()["usage"], answer["usage"]);

    body["stream_options"] = Value::Null;
    assert!(!String::from_utf8(call(&fleet, &body).await.1.concat()).unwrap().contains("usage"));
}

/// Calls a model that supports every operation.
async fn task(model: &str, operation: Operation, content_type: Option<&str>, body: Vec<u8>) -> (u16, Value) {
    let operations = Operation::ALL.to_vec();
    let facts = Model { operations, ..pointsman_tests::model(model, Modalities::TEXT | Modalities::AUDIO) };
    let call = BackendCall {
        path: match operation {
            Operation::Chat => "chat/completions",
            Operation::Embedding => "embeddings",
            Operation::Transcription => "audio/transcriptions",
            Operation::Translation => "audio/translations",
            Operation::Speech => "audio/speech",
            Operation::Image => "images/generations",
            Operation::Moderation => "moderations",
        },
        model: &facts,
        operation,
        content_type,
        body: Bytes::from(body).into(),
        headers: HeaderMap::new(),
    };
    let reply = fleet(ModelBehaviour::default()).call(call).await.unwrap();
    (reply.status, serde_json::from_slice(&reply.body.whole(10_000).await.unwrap()).unwrap())
}

async fn transcribed(file: &str) -> Value {
    let form = format!(
        "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n\
         --B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n{file}\r\n--B--\r\n"
    );
    let content_type = Some("multipart/form-data; boundary=B");
    let (status, answer) = task("whisper", Operation::Transcription, content_type, form.into()).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

#[tokio::test]
async fn a_recording_is_heard_the_same_each_time() {
    let answer = transcribed("RIFF").await;
    assert_eq!(answer, transcribed("RIFF").await);
    let words = answer["text"].as_str().unwrap().split_whitespace().count();
    assert!(words > 3);
    let usage =
        json!({ "type": "tokens", "input_tokens": 1, "output_tokens": words, "total_tokens": words + 1 });
    assert_eq!(answer["usage"], usage);
    let long = transcribed(&"RIFF".repeat(60_000)).await;
    assert!(long["text"].as_str().unwrap().split_whitespace().count() > 2 * words);
}

async fn vector(text: &str) -> Vec<f64> {
    let body = json!({ "model": "clip", "input": text, "encoding_format": "float" });
    let (status, answer) = task("clip", Operation::Embedding, None, body.to_string().into()).await;
    assert_eq!(status, 200, "{answer}");
    let vector = answer["data"][0]["embedding"].as_array().unwrap();
    vector.iter().map(|value| value.as_f64().unwrap()).collect()
}

#[tokio::test]
async fn vectors_of_like_texts_are_near_one_another() {
    let near = |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
    let trains = vector("When do the trains to Hamburg leave?").await;
    assert_eq!(trains.len(), 32);
    assert!((near(&trains, &trains) - 1.0).abs() < 1e-5);
    assert_eq!(trains, vector("when do the TRAINS to Hamburg leave").await);
    let like = near(&trains, &vector("When does the train to Hamburg leave?").await);
    let unlike = near(&trains, &vector("A recipe for apple pie with cinnamon").await);
    assert!(like > 0.7 && unlike < 0.4, "{like} {unlike}");
    assert!((near(&vector("").await, &vector("?!").await) - 1.0).abs() < 1e-5);
}

#[tokio::test]
async fn embeddings_have_the_requested_form() {
    let embed = async |members: Value| {
        let mut body = json!({ "model": "clip", "input": "a" });
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let (status, answer) = task("clip", Operation::Embedding, None, body.to_string().into()).await;
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let floats = embed(json!({ "dimensions": 5 })).await;
    let encoded = embed(json!({ "dimensions": 5, "encoding_format": "base64" })).await;
    let bytes = STANDARD.decode(encoded["data"][0]["embedding"].as_str().unwrap()).unwrap();
    let values: Vec<f32> = bytes.chunks(4).map(|it| f32::from_le_bytes(it.try_into().unwrap())).collect();
    assert_eq!(json!(values), floats["data"][0]["embedding"]);
    assert_eq!(values.len(), 5);

    let several = embed(json!({ "input": ["one two", "three"] })).await;
    assert_eq!((several["data"].as_array().unwrap().len(), &several["data"][1]["index"]), (2, &json!(1)));
    assert_eq!(several["usage"], json!({ "prompt_tokens": 3, "total_tokens": 3 }));
    let tokens = embed(json!({ "input": [[1, 2, 3], [1, 2]] })).await;
    assert_eq!(tokens["usage"]["prompt_tokens"], 5);
    assert_ne!(tokens["data"][0]["embedding"], tokens["data"][1]["embedding"]);
    let one = embed(json!({ "input": [1, 2, 3] })).await;
    assert_eq!(one["data"][0]["embedding"], tokens["data"][0]["embedding"]);
}

#[tokio::test]
async fn a_call_of_another_kind_or_shape_is_refused_with_its_reason() {
    let why = async |operation, content_type, body: &str| {
        let (status, error) = task("whisper", operation, content_type, body.into()).await;
        assert_eq!(status, 400, "{error}");
        error["error"]["message"].as_str().unwrap().to_owned()
    };
    let no_form = why(Operation::Transcription, None, "{}").await;
    assert!(no_form.starts_with("the body is not a transcription request: expected multipart/form-data"));
    let no_input = why(Operation::Embedding, None, r#"{"model":"whisper"}"#).await;
    assert_eq!(no_input, "Missing required parameter: 'input'.");
    let unknown = r#"{"model":"whisper","input":"a","encoding_format":"int8"}"#;
    assert!(why(Operation::Embedding, None, unknown).await.contains("use float or base64"));
    for (members, reason) in [
        (r#""input":[]"#, "input is empty"),
        (r#""input":[[]]"#, "input is empty"),
        (r#""input":{}"#, "Invalid type for 'input': expected a text, a list of tokens, or a list of such."),
        (r#""input":[1.5]"#, "Invalid type for 'input': expected a text"),
        (r#""input":"a","dimensions":0"#, "dimensions is 0; a number from 1 to 4096 is expected"),
    ] {
        let body = format!("{{\"model\":\"whisper\",{members}}}");
        assert!(why(Operation::Embedding, None, &body).await.contains(reason), "{reason}");
    }
    let many = json!({ "model": "whisper", "input": vec!["a"; 2_000], "dimensions": 4_096 }).to_string();
    assert!(why(Operation::Embedding, None, &many).await.contains("more than 1000000 values"));

    let chats = model("llama-70b", Modalities::TEXT);
    let call = BackendCall { operation: Operation::Embedding, ..chat(&chats, &json!({})) };
    let reply = fleet(ModelBehaviour::default()).call(call).await.unwrap();
    assert_eq!(reply.status, 400);
    let error: Value = serde_json::from_slice(&reply.body.whole(1000).await.unwrap()).unwrap();
    assert_eq!(error["error"]["message"], "llama-70b does not do embedding calls");
}

#[tokio::test]
async fn failures_come_at_their_rate_and_repeat_with_the_seed() {
    let behaviour = ModelBehaviour { failure_rate: 0.3, ..ModelBehaviour::default() };
    let body = json!({ "model": "llama-70b", "messages": [{ "role": "user", "content": "hello" }] });
    let mut runs = Vec::new();
    for _ in 0..2 {
        let fleet = fleet(behaviour);
        let mut statuses = Vec::new();
        for _ in 0..500 {
            statuses.push(call(&fleet, &body).await.0);
        }
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
    let count = |wanted: u16| runs[0].iter().filter(|status| **status == wanted).count();
    assert!((100..200).contains(&(count(500) + count(503))));
    assert!(count(500) > 20 && count(503) > 20);
}

#[tokio::test]
async fn a_stream_holds_its_place_until_it_ends_and_a_full_queue_rejects() {
    let fleet = fleet(ModelBehaviour { capacity: Some(1), queue: Some(1), ..ModelBehaviour::default() });
    let body = |stream: bool| {
        let messages = json!([{ "role": "user", "content": "hello" }]);
        json!({ "model": "llama-70b", "messages": messages, "stream": stream })
    };
    let (streamed, whole) = (body(true), body(false));
    let model = model("any", Modalities::TEXT);
    let first = fleet.call(chat(&model, &streamed)).await.unwrap();
    let mut second = pin!(call(&fleet, &whole));
    let waits = poll_fn(|cx| Poll::Ready(second.as_mut().poll(cx).is_pending())).await;
    assert!(waits, "nothing but the place delays it");
    let (status, error) = self::whole(&fleet, &whole).await;
    assert_eq!((status, &error["error"]["code"]), (429, &json!("rate_limit_exceeded")));
    drop(first);
    assert_eq!(second.await.0, 200);
    assert_eq!(call(&fleet, &whole).await.0, 200);
    let other = json!({ "model": "clip", "messages": [{ "role": "user", "content": "hello" }] });
    assert_eq!(call(&fleet, &other).await.0, 200, "each model has its own places");
}
