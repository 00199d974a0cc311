//! The three scenarios of the examples, unchanged except for deadlines.

use pointsman_tests::Gateway;
use serde_json::{Value, json};

use crate::fleet::{ask, chat, with_ample_deadlines};

async fn label(gateway: &Gateway, body: &Value) -> (String, Option<String>) {
    let answer = ask(gateway, body).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let header = |name| answer.header(name).map(str::to_owned);
    (header("x-pointsman-route").expect("a label"), header("x-pointsman-tasks"))
}

#[tokio::test]
async fn cost_saving_sends_easy_requests_to_cheap_models_and_hard_ones_to_the_large_one() {
    let gateway =
        Gateway::start(&with_ample_deadlines(include_str!("../../../examples/scenarios/cost-saving.toml")))
            .await;
    let easy = ask(&gateway, &chat("assistant", "Good morning! How are you?")).await;
    assert_eq!(easy.header("x-pointsman-route"), Some("dynamic:cost"));
    assert_ne!(easy.header("x-pointsman-model"), Some("fleet/llama-70b"));
    let hard =
        chat("assistant", "Prove step by step: if 3x + 7 = 31, 2y - x = 4 and z = x + y, then what is z?");
    let hard = ask(&gateway, &hard).await;
    assert_eq!(hard.header("x-pointsman-model"), Some("fleet/llama-70b"));
}

#[tokio::test]
async fn multimodal_answers_a_sentence_a_picture_and_a_recording_together() {
    let gateway =
        Gateway::start(&with_ample_deadlines(include_str!("../../../examples/scenarios/multimodal.toml")))
            .await;
    let parts = json!([
        { "type": "text", "text": "What is wrong here?" },
        { "type": "image_url", "image_url": { "url": "https://example.com/photo.png" } },
        { "type": "input_audio", "input_audio": { "data": "UklGRg==", "format": "wav" } },
    ]);
    let body =
        json!({ "model": "helpdesk", "max_tokens": 20, "messages": [{ "role": "user", "content": parts }] });
    assert_eq!(label(&gateway, &body).await, ("multimodal:parts".to_owned(), Some("3".to_owned())));
}

#[tokio::test]
async fn agents_work_in_parallel_in_sequence_and_as_a_cascade() {
    let gateway =
        Gateway::start(&with_ample_deadlines(include_str!("../../../examples/scenarios/agents.toml"))).await;
    let mut body = chat("panel", "Is the plan sound?");
    body["max_tokens"] = 20.into();
    for (route, label, tasks) in [
        ("panel", "collaborate:aggregated", "7"),
        ("editor", "sequential", "3"),
        ("ladder", "cascade:last", "3"),
    ] {
        body["model"] = route.into();
        let found = self::label(&gateway, &body).await;
        assert_eq!(found, (label.to_owned(), Some(tasks.to_owned())), "{route}");
    }
}
