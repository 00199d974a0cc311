//! Dependencies between tasks, and ways in which the answer reaches the client.

use pointsman_guests::{Planned, Shape};
use pointsman_tests::{FakeModel, Gate, Step};
use serde_json::json;

use super::{Setup, last_text};
use crate::fleet::{ask, backend, chat, error, model, open, status, streamed, text_of, usage};

fn fan_out() -> Planned {
    Planned { shape: Shape::FanOut, tasks: 2, ..Planned::default() }
}

#[tokio::test]
async fn tasks_run_in_parallel_and_the_last_one_answers_from_their_outputs() {
    let gate = Gate::new();
    let (one, two) = (
        FakeModel::always(Step::answer("from one").after(&gate)).await,
        FakeModel::always(Step::answer("from two").after(&gate)).await,
    );
    let last = FakeModel::saying("all in all").await;
    let setup = Setup::planning(&fan_out(), &[&one, &two, &last], "").await;
    let both_wait = async {
        gate.reached_by(2).await;
        gate.open();
    };
    let mut body = chat("main", "hi");
    body["temperature"] = json!(0.3);
    let (answer, ()) = tokio::join!(ask(&setup.gateway, &body), both_wait);
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "all in all"));
    assert_eq!(answer.header("x-pointsman-route"), Some("fan-out"));
    assert_eq!(answer.header("x-pointsman-tasks"), Some("3"));
    assert_eq!(answer.header("x-pointsman-attempts"), Some("3"));
    assert_eq!(answer.header("x-pointsman-model"), Some("c/chat"));

    // 7 input tokens of each; 2, 2 and 3 output tokens, at $1 and $2, $2 and $4, $3 and $6 a million.
    assert_eq!(answer.header("x-pointsman-cost-usd"), Some("0.000072"));
    let used = &answer.json()["usage"];
    assert_eq!((&used["prompt_tokens"], &used["completion_tokens"]), (&json!(21), &json!(7)));
    assert_eq!(used["total_tokens"], 28);

    let first = one.request(1).await.json();
    assert_eq!(last_text(&first), "part 0");
    assert_eq!(first["messages"][0], chat("main", "hi")["messages"][0]);
    assert_eq!((&first["model"], &first["stream"]), (&json!("chat"), &json!(null)));
    assert_eq!(first["temperature"], json!(null), "the client's parameters are for the answer");
    let answering = last.request(1).await.json();
    assert_eq!(last_text(&answering), "heard: from one from two");
    assert_eq!(answering["temperature"], json!(0.3));
}

#[tokio::test]
async fn the_stream_of_the_answering_task_is_forwarded_with_the_total_usage() {
    let (one, two) = (FakeModel::saying("from one").await, FakeModel::saying("from two").await);
    let last = FakeModel::saying("all in all").await;
    let setup = Setup::planning(&fan_out(), &[&one, &two, &last], "").await;
    let stream = open(&setup.gateway, &streamed("main", "hi")).await;
    assert_eq!(stream.headers["x-pointsman-tasks"], "3");
    assert!(!stream.headers.contains_key("x-pointsman-cost-usd"));
    let events = stream.events().await;
    assert_eq!(text_of(&events), "all in all");
    assert!(!events.concat().contains("prompt_tokens"), "not asked for");

    let mut body = streamed("main", "hi");
    body["stream_options"] = json!({ "include_usage": true });
    let events = open(&setup.gateway, &body).await.events().await;
    let last_chunk: serde_json::Value = serde_json::from_str(&events[events.len() - 2]).expect("JSON");
    assert_eq!(last_chunk["usage"]["prompt_tokens"], 21);
    assert_eq!(last_chunk["usage"]["completion_tokens"], 7);
    assert_eq!(last.request(2).await.json()["stream"], true);
}

#[tokio::test]
async fn a_chain_passes_each_output_to_the_next_task() {
    let (one, two) = (FakeModel::saying("from one").await, FakeModel::saying("from two").await);
    let last = FakeModel::saying("the end").await;
    let settings = Planned { shape: Shape::Chain, tasks: 2, ..Planned::default() };
    let setup = Setup::planning(&settings, &[&one, &two, &last], "").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!(answer.text(), "the end");
    assert_eq!(two.request(1).await.json()["messages"][2]["content"], "from one");
    assert_eq!(two.request(1).await.json()["messages"][2]["role"], "assistant");
    assert_eq!(last_text(&last.request(1).await.json()), "from two!");
}

#[tokio::test]
async fn an_answer_is_composed_without_another_model() {
    let (one, two) = (FakeModel::saying("from \"one\"").await, FakeModel::saying("grüße").await);
    let settings = Planned { shape: Shape::Compose, tasks: 2, ..Planned::default() };
    let setup = Setup::planning(&settings, &[&one, &two], "").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!(answer.text(), "from \"one\";grüße;");
    let json = answer.json();
    assert_eq!((&json["object"], &json["model"]), (&json!("chat.completion"), &json!("main")));
    assert_eq!(json["choices"][0]["finish_reason"], "stop");
    assert_eq!(json["usage"], json!({ "prompt_tokens": 14, "completion_tokens": 3, "total_tokens": 17 }));
    assert_eq!(answer.header("x-pointsman-model"), None, "no one model answered");
    assert_eq!(answer.header("x-pointsman-cost-usd"), Some("0.000029"));
    assert_eq!(answer.header("x-pointsman-route"), Some("composed"));
    let id = answer.header("x-pointsman-decision-id").expect("an id");
    assert_eq!(json["id"], format!("chatcmpl-{id}"));

    let mut body = streamed("main", "hi");
    body["stream_options"] = json!({ "include_usage": true });
    let stream = open(&setup.gateway, &body).await;
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    assert_eq!(stream.headers["x-pointsman-cost-usd"], "0.000029", "known before the body");
    let events = stream.events().await;
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    assert_eq!(text_of(&events), "from \"one\";grüße;");
    assert!(events.concat().contains(r#""completion_tokens":3"#), "{events:#?}");
}

#[tokio::test]
async fn a_composed_answer_does_not_depend_on_the_order_of_completion() {
    for first in [0, 1] {
        let gates = [Gate::new(), Gate::new()];
        let one = FakeModel::always(Step::answer("from one").after(&gates[0])).await;
        let two = FakeModel::always(Step::answer("from two").after(&gates[1])).await;
        let settings = Planned { shape: Shape::Compose, tasks: 2, ..Planned::default() };
        let setup = Setup::planning(&settings, &[&one, &two], "").await;
        let in_order = async {
            for gate in &gates {
                gate.reached_by(1).await;
            }
            gates[first].open();
            while status(&setup.gateway, ["a/chat", "b/chat"][first]).await["in_flight"] != 0 {}
            gates[1 - first].open();
        };
        let body = chat("main", "hi");
        let (answer, ()) = tokio::join!(ask(&setup.gateway, &body), in_order);
        assert_eq!(answer.text(), "from one;from two;", "{first} ended first");
    }
}

#[tokio::test]
async fn a_resumed_policy_may_answer_route_or_decline() {
    let (one, two) = (FakeModel::saying("from one").await, FakeModel::saying("from two").await);
    let asked = |shape| Planned { shape, tasks: 2, ..Planned::default() };
    let setup = Setup::planning(&asked(Shape::Resume), &[&one, &two], "").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!(answer.text(), r#"2 tasks: t0 done stop "from one" 7+2; t1 done stop "from two" 7+2"#);
    assert_eq!(answer.header("x-pointsman-route"), Some("resumed"));

    let setup = Setup::planning(&asked(Shape::ThenRoute), &[&one, &two], "").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!(answer.text(), "from one");
    assert_eq!(answer.header("x-pointsman-route"), Some("routed-after-all"));
    assert_eq!(answer.header("x-pointsman-attempts"), Some("3"));
    assert_eq!(answer.json()["usage"]["completion_tokens"], 6, "all three calls were paid for");

    let setup = Setup::planning(&asked(Shape::ThenRefuse), &[&one, &two], "").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!(error(&answer, 403, "policy_denied"), "not after this");
    let lines = usage(&setup.gateway).await;
    let sum = |key: &str| lines.iter().filter_map(|line| line[key].as_u64()).sum::<u64>();
    assert_eq!((sum("failed"), sum("output_tokens")), (1, 4), "what was used is accounted: {lines:#?}");
}

#[tokio::test]
async fn a_policy_that_orchestrates_may_just_route_or_answer_itself() {
    let model = FakeModel::saying("hello there").await;
    let setup = Setup::planning(&Planned::default(), &[&model], "").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!((answer.text().as_str(), answer.header("x-pointsman-route")), ("hello there", Some("routed")));
    assert_eq!(answer.header("x-pointsman-tasks"), None, "it was not cut");
    assert_eq!(model.request(1).await.json(), chat("chat", "hi"));

    let settings = Planned { shape: Shape::Finish, ..Planned::default() };
    let setup = Setup::planning(&settings, &[&model], "").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!(answer.text(), "answered here");
    assert_eq!(
        (answer.header("x-pointsman-tasks"), answer.header("x-pointsman-attempts")),
        (Some("0"), Some("0"))
    );
    assert_eq!(model.requests().len(), 1);
}

#[tokio::test]
async fn transcriptions_and_embeddings_use_their_own_endpoints() {
    let ear = FakeModel::always(Step::json(&json!({ "text": "the spoken words" }))).await;
    let last = FakeModel::saying("understood").await;
    let policy = crate::policy_file::PolicyFile::new(pointsman_guests::PLANNER);
    let config = |shape: &str| {
        let mut config = backend("ear", &ear, "") + &backend("b", &last, "");
        config += &model("ear/whisper", 1, "inputs = [\"audio\"]\noperations = [\"transcription\"]\n");
        config += &model("b/chat", 2, "");
        config += &format!(
            "[policies.planner]\nlimits.deadline = \"60s\"\nsource = \"{}\"\ngrants = [\"outputs\"]\nsettings = {{ shape = \"{shape}\" }}\n\
             [routes.main]\npolicy = \"planner\"\n",
            policy.path().display()
        );
        config
    };
    let gateway = pointsman_tests::Gateway::start(&config("transcribe")).await;
    let recording =
        json!({ "type": "input_audio", "input_audio": { "data": "UklGRiQAAABXQVZF", "format": "wav" } });
    let parts = json!([{ "type": "text", "text": "what is said?" }, recording]);
    let body = json!({ "model": "main", "messages": [{ "role": "user", "content": parts }] });
    let answer = ask(&gateway, &body).await;
    assert_eq!(answer.text(), "understood", "{:?}", answer.body);
    let heard = ear.request(1).await;
    assert_eq!(heard.path, "/v1/audio/transcriptions");
    let content_type = heard.header("content-type").expect("a content type").to_owned();
    assert!(content_type.starts_with("multipart/form-data; boundary="), "{content_type}");
    let form = String::from_utf8_lossy(&heard.body).into_owned();
    for part in [
        "name=\"model\"\r\n\r\nwhisper\r\n",
        "name=\"language\"\r\n\r\nen\r\n",
        "filename=\"audio.wav\"",
        "RIFF",
    ] {
        assert!(form.contains(part), "{part:?} is not in {form}");
    }
    let messages = last.request(1).await.json()["messages"].clone();
    assert_eq!(messages[1]["content"], "the spoken words");
    assert!(!messages[0]["content"].to_string().contains("input_audio"), "only text went along");
}

#[tokio::test]
async fn a_vector_is_an_output_like_any_other() {
    let vector = json!({ "data": [{ "index": 0, "embedding": [0.5, -1.0] }], "usage": { "prompt_tokens": 4, "total_tokens": 4 } });
    let embedder = FakeModel::always(Step::json(&vector)).await;
    let policy = crate::policy_file::PolicyFile::new(pointsman_guests::PLANNER);
    let config = backend("e", &embedder, "")
        + &model("e/embed", 1, "operations = [\"embedding\"]\n")
        + &format!(
            "[policies.planner]\nlimits.deadline = \"60s\"\nsource = \"{}\"\ngrants = [\"outputs\"]\nsettings = {{ shape = \"embed\" }}\n\
             [routes.main]\npolicy = \"planner\"\n",
            policy.path().display()
        );
    let gateway = pointsman_tests::Gateway::start(&config).await;
    let answer = ask(&gateway, &chat("main", "near and far")).await;
    assert_eq!(answer.text(), "[0.5,-1.0]", "{:?}", answer.body);
    let asked = embedder.request(1).await;
    assert_eq!((asked.path.as_str(), &asked.json()["input"]), ("/v1/embeddings", &json!("near and far")));
    assert_eq!(answer.json()["usage"]["prompt_tokens"], 4);
}

#[tokio::test]
async fn speech_images_and_judgements_are_outputs_of_tasks() {
    let voice = FakeModel::always(Step::bytes("audio/mpeg", "ID3")).await;
    let image =
        json!({ "data": [{ "b64_json": "AAAA" }], "usage": { "input_tokens": 3, "output_tokens": 4 } });
    let painter = FakeModel::always(Step::json(&image)).await;
    let judge = FakeModel::always(Step::json(&json!({ "results": [{ "flagged": false }] }))).await;
    let policy = crate::policy_file::PolicyFile::new(pointsman_guests::PLANNER);
    let mut config = String::new();
    for (name, fake, operation) in
        [("a", &voice, "speech"), ("b", &painter, "image"), ("c", &judge, "moderation")]
    {
        config += &backend(name, fake, "");
        config += &model(&format!("{name}/m"), 1, &format!("operations = [\"{operation}\"]\n"));
    }
    config += &format!(
        "[policies.planner]\nlimits.deadline = \"60s\"\nsource = \"{}\"\ngrants = [\"outputs\"]\nsettings = {{ shape = \"produce\" }}\n\
         [routes.main]\npolicy = \"planner\"\n",
        policy.path().display()
    );
    let gateway = pointsman_tests::Gateway::start(&config).await;
    let answer = ask(&gateway, &chat("main", "a cat")).await;
    assert_eq!(
        answer.text(),
        "data:audio/mpeg;base64,SUQz data:image/png;base64,AAAA {\"flagged\":false}",
        "{:?}",
        answer.body
    );
    let sent = voice.request(1).await;
    assert_eq!(sent.path, "/v1/audio/speech");
    assert_eq!(
        sent.json(),
        json!({ "model": "m", "input": "a cat", "response_format": "mp3", "voice": "nova" })
    );
    let sent = painter.request(1).await;
    assert_eq!(sent.path, "/v1/images/generations");
    assert_eq!(sent.json(), json!({ "model": "m", "prompt": "a cat", "size": "1024x1024" }));
    assert_eq!(judge.request(1).await.json(), json!({ "model": "m", "input": "a cat" }));
}
