//! Small real models behind real servers: a language model on a route, and with a vision and a
//! speech model, the parts of one request.
//!
//! `cargo xtask test` installs them and sets their paths. Without it these tests are skipped,
//! except on CI.

use std::net::SocketAddr;
use std::path::Path;

use pointsman_tests::real_models::{Server, SmallServer, free_address, medium};
use pointsman_tests::{Gateway, installed};
use serde_json::{Value, json};

use crate::fleet::{ask, open, text_of, usage};

/// Returns the example's configuration with this server, shorter probe intervals, and a deadline
/// for the policy that holds while the model uses every processor.
fn config(address: SocketAddr) -> String {
    let replacements = [
        ("127.0.0.1:8000", address.to_string()),
        ("interval = \"10s\"", "interval = \"100ms\"".into()),
        (
            "source = \"builtin:performance\"",
            "source = \"builtin:performance\"\nlimits.deadline = \"60s\"".into(),
        ),
    ];
    let mut config = include_str!("../../examples/local-server.toml").to_owned();
    for (stated, replacement) in replacements {
        assert!(config.contains(stated), "the example no longer has {stated}");
        config = config.replace(stated, &replacement);
    }
    config
}

fn request(streaming: bool) -> Value {
    let messages = json!([{ "role": "user", "content": "The capital of France is" }]);
    json!({ "model": "auto", "messages": messages, "max_tokens": 16, "stream": streaming })
}

#[tokio::test]
async fn a_real_model_answers_whole_and_streamed_through_the_configuration_of_the_example() {
    let Some(python) = installed("POINTSMAN_TEST_PYTHON") else { return };
    let Some(weights) = installed("POINTSMAN_TEST_MODEL") else { return };
    let address = free_address();
    let gateway = Gateway::start(&config(address)).await;
    gateway.logged("probe failed").await;
    let _server = Server::language(Path::new(&python), Path::new(&weights), address);
    gateway.logged("probe succeeded again").await;

    let answer = ask(&gateway, &request(false)).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    assert!(!answer.text().trim().is_empty());
    assert_eq!(answer.header("x-pointsman-route"), Some("fastest"));
    assert_eq!(answer.header("x-pointsman-model"), Some("local/gemma"));
    let used = answer.json()["usage"].clone();
    assert_eq!(used["completion_tokens"], 16);

    let stream = open(&gateway, &request(true)).await;
    assert_eq!(stream.status, 200);
    let events = stream.events().await;
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    assert!(!text_of(&events).trim().is_empty());
    assert!(events.len() > 10, "it comes token by token: {events:#?}");
    assert!(!events.concat().contains("\"usage\":{"), "not asked for");

    let line = &usage(&gateway).await[0];
    let input = used["prompt_tokens"].as_u64().expect("a number");
    assert_eq!((&line["answered"], &line["output_tokens"]), (&json!(2), &json!(32)));
    assert_eq!(line["input_tokens"], 2 * input, "as the server counts, streamed or not");
}

fn senses(eye: &str, ear: &str, tongue: SocketAddr) -> String {
    format!(
        r#"
        [backends.eye]
        base_url = "{eye}"
        [backends.ear]
        base_url = "{ear}"
        [backends.tongue]
        base_url = "http://{tongue}/v1"
        health = {{ path = "models", interval = "100ms", timeout = "2s" }}

        [models."eye/ocr"]
        input_price = 1
        output_price = 1
        inputs = ["text", "image"]
        quality = {{ general = 0.1, vision = 0.8 }}
        [models."ear/whisper"]
        input_price = 1
        output_price = 1
        inputs = ["audio"]
        operations = ["transcription"]
        [models."tongue/gemma"]
        upstream_name = "gemma.gguf"
        input_price = 1
        output_price = 1
        context_window = 2048
        quality = 0.5

        [policies.multimodal]
        limits.deadline = "60s"
        source = "builtin:multimodal"
        # The model is too small to follow instructions: it repeats what it is given.
        settings = {{ answer_instruction = "Notes" }}
        [routes.main]
        policy = "multimodal"
        "#
    )
}

#[tokio::test]
async fn real_vision_speech_and_language_models_answer_one_request_together() {
    let Some(python) = installed("POINTSMAN_TEST_PYTHON") else { return };
    let Some(weights) = installed("POINTSMAN_TEST_MODEL") else { return };
    let Some(whisper) = installed("POINTSMAN_TEST_WHISPER") else { return };
    let (eye, ear) = tokio::join!(SmallServer::vision(&python), SmallServer::speech(&python, &whisper));
    let address = free_address();
    let gateway = Gateway::start(&senses(&eye.base_url, &ear.base_url, address)).await;
    gateway.logged("probe failed").await;
    let _tongue = Server::language(Path::new(&python), Path::new(&weights), address);
    gateway.logged("probe succeeded again").await;

    let picture = format!("data:image/png;base64,{}", medium("notice.png"));
    let parts = json!([
        { "type": "text", "text": "What does the notice say?" },
        { "type": "image_url", "image_url": { "url": picture } },
        { "type": "input_audio", "input_audio": { "data": medium("sentence.mp3"), "format": "mp3" } },
    ]);
    let body = json!({
        "model": "main", "max_tokens": 80, "temperature": 0, "messages": [{ "role": "user", "content": parts }],
    });
    let answer = ask(&gateway, &body).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.header("x-pointsman-route"), Some("multimodal:parts"));
    assert_eq!(answer.header("x-pointsman-tasks"), Some("3"));
    assert_eq!(answer.header("x-pointsman-model"), Some("tongue/gemma"));
    let text = answer.text();
    assert!(text.contains("PLATFORM"), "what was written: {text}");
    assert!(text.contains("London"), "what was said: {text}");
}
