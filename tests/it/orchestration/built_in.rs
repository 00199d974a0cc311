//! Built-in orchestration policies over scripted models.

use pointsman_tests::client::Answer;
use pointsman_tests::{FakeModel, Gateway, Request, Step};
use serde_json::{Value, json};

use super::last_text;
use crate::fleet::{ask, backend, built_in, chat, error, model, open, streamed, with_ample_deadlines};

/// Examples of requests, which the tests of `wire` share.
const WITH_PICTURE: &str = include_str!("../../../host/wire/tests/fixtures/picture.request.json");
const WITH_RECORDING: &str = include_str!("../../../host/wire/tests/fixtures/recording.request.json");

fn route(policy: &str) -> String {
    format!("[routes.main]\npolicy = \"{policy}\"\nbackoff = \"1ms\"\n")
}

fn route_and_tasks(answer: &Answer) -> (&str, Option<&str>) {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    (answer.header("x-pointsman-route").expect("a label"), answer.header("x-pointsman-tasks"))
}

/// Returns a request with the text and the picture of one example and the sound of the other.
fn with_everything(route: &str) -> Value {
    let mut body: Value = serde_json::from_str(WITH_PICTURE).expect("JSON");
    let other: Value = serde_json::from_str(WITH_RECORDING).expect("JSON");
    let recording = other["messages"][0]["content"][1].clone();
    body["messages"][0]["content"].as_array_mut().expect("parts").push(recording);
    body["model"] = route.into();
    body
}

/// Models for pictures, for sound, and for text alone.
struct MediaModels {
    vision: FakeModel,
    speech: FakeModel,
    language: FakeModel,
}

impl MediaModels {
    async fn new() -> Self {
        Self {
            vision: FakeModel::saying("a boardwalk through green grass").await,
            speech: FakeModel::always(Step::json(&json!({ "text": "a single beep" }))).await,
            language: FakeModel::saying("grass and a beep").await,
        }
    }

    fn config(&self) -> String {
        backend("eye", &self.vision, "")
            + &backend("ear", &self.speech, "")
            + &backend("tongue", &self.language, "")
            + &model(
                "eye/clip",
                1,
                "inputs = [\"text\", \"image\"]\nquality = { general = 0.1, vision = 0.8 }\n",
            )
            + &model("ear/whisper", 1, "inputs = [\"audio\"]\noperations = [\"transcription\"]\n")
            + &model("tongue/llama", 1, "quality = 0.8\n")
    }
}

#[tokio::test]
async fn multimodal_sends_each_part_to_a_model_that_accepts_it_without_a_grant() {
    let models = MediaModels::new().await;
    let gateway =
        Gateway::start(&(models.config() + &built_in("multimodal", "") + &route("multimodal"))).await;
    let sent = with_everything("main");
    let answer = ask(&gateway, &sent).await;
    assert_eq!(route_and_tasks(&answer), ("multimodal:parts", Some("3")));
    assert_eq!(answer.text(), "grass and a beep");
    assert_eq!(answer.header("x-pointsman-model"), Some("tongue/llama"));

    let parts = &sent["messages"][0]["content"];
    let seen = models.vision.request(1).await.json();
    let seen = seen["messages"].to_string();
    assert!(seen.contains(&parts[1].to_string()), "the picture as it was sent: {seen}");
    assert!(seen.contains("What does the sign say?") && !seen.contains("input_audio"), "{seen}");

    let heard = models.speech.request(1).await;
    assert_eq!(heard.path, "/v1/audio/transcriptions");
    assert!(String::from_utf8_lossy(&heard.body).contains("filename=\"audio.wav\""));

    let received = models.language.request(1).await.json();
    assert_eq!(
        received["max_completion_tokens"], sent["max_completion_tokens"],
        "the client's own parameters"
    );
    let messages = received["messages"].to_string();
    for part in ["a boardwalk through green grass", "a single beep", "What does the sign say?"] {
        assert!(messages.contains(part), "{part} is not in {messages}");
    }
    assert!(!messages.contains("image_url") && !messages.contains("input_audio"), "{messages}");

    let mut body = sent;
    body["stream"] = true.into();
    let stream = open(&gateway, &body).await;
    assert_eq!(stream.headers["x-pointsman-tasks"], "3");
    assert_eq!(stream.text().await, "grass and a beep");
}

#[tokio::test]
async fn multimodal_answers_without_a_dead_model_and_names_the_missing_part() {
    let mut models = MediaModels::new().await;
    models.vision.go_down().await;
    let gateway =
        Gateway::start(&(models.config() + &built_in("multimodal", "") + &route("multimodal"))).await;
    let answer = ask(&gateway, &with_everything("main")).await;
    assert_eq!(route_and_tasks(&answer), ("multimodal:parts", Some("3")));
    let messages = models.language.request(1).await.json()["messages"].to_string();
    assert!(messages.contains("(could not be read)") && messages.contains("a single beep"), "{messages}");
}

#[tokio::test]
async fn multimodal_only_routes_a_request_with_one_kind_of_content() {
    let models = MediaModels::new().await;
    let gateway =
        Gateway::start(&(models.config() + &built_in("multimodal", "") + &route("multimodal"))).await;
    let answer = ask(&gateway, &chat("main", "hello")).await;
    assert_eq!(route_and_tasks(&answer), ("multimodal:single", None));
    assert_eq!(answer.header("x-pointsman-model"), Some("tongue/llama"));
}

#[tokio::test]
async fn auto_routes_text_and_orchestrates_several_kinds_of_content() {
    let models = MediaModels::new().await;
    let auto = built_in("auto", "grants = [\"prompt\"]");
    let gateway = Gateway::start(&(models.config() + &auto + &route("auto"))).await;
    let answer = ask(&gateway, &chat("main", "hello")).await;
    assert_eq!(
        (route_and_tasks(&answer).1, answer.header("x-pointsman-model")),
        (None, Some("tongue/llama"))
    );
    assert!(route_and_tasks(&answer).0.starts_with("dynamic:"), "{:?}", route_and_tasks(&answer));
    assert_eq!(
        route_and_tasks(&ask(&gateway, &with_everything("main")).await),
        ("multimodal:parts", Some("3"))
    );
}

#[tokio::test]
async fn sequential_drafts_criticises_and_revises() {
    let writer = FakeModel::builder().otherwise(|request| {
        let text = match request.json()["messages"].to_string() {
            all if all.contains("the draft") && all.contains("the critique") => "the revision",
            all if all.contains("the draft") => "the critique",
            _ => "the draft",
        };
        Step::says(request, text)
    });
    let writer = writer.start().await;
    let config = backend("a", &writer, "")
        + &model("a/chat", 1, "")
        + &built_in("sequential", "")
        + &route("sequential");
    let gateway = Gateway::start(&config).await;
    let answer = ask(&gateway, &chat("main", "Write a notice.")).await;
    assert_eq!(
        (route_and_tasks(&answer), answer.text().as_str()),
        (("sequential", Some("3")), "the revision")
    );
    assert_eq!(open(&gateway, &streamed("main", "Write a notice.")).await.text().await, "the revision");
    assert_eq!(writer.requests().len(), 6);
}

#[tokio::test]
async fn parallel_answers_a_list_part_by_part_and_a_plain_request_at_once() {
    let writer = FakeModel::builder().otherwise(|request| {
        let all = request.json()["messages"].to_string();
        let about = ["points", "lamps", "bells"].into_iter().filter(|word| all.contains(word));
        let said: Vec<&str> = about.collect();
        Step::says(request, &format!("about {}", said.join(" and ")))
    });
    let writer = writer.start().await;
    let policy = built_in("parallel", "grants = [\"prompt\", \"outputs\"]");
    let config = backend("a", &writer, "") + &model("a/chat", 1, "") + &policy + &route("parallel");
    let gateway = Gateway::start(&config).await;
    let list =
        "Explain each in one line:\n1. What are points?\n2. What are lamps for?\n3. Why are there bells?";
    let answer = ask(&gateway, &chat("main", list)).await;
    assert_eq!(route_and_tasks(&answer), ("parallel:list", Some("3")));
    let text = answer.text();
    let places: Vec<Option<usize>> =
        ["about points", "about lamps", "about bells"].iter().map(|part| text.find(part)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
    let streamed = open(&gateway, &streamed("main", list)).await;
    assert_eq!(streamed.text().await, text);

    let answer = ask(&gateway, &chat("main", "Tell me about points.")).await;
    assert_eq!(
        (route_and_tasks(&answer), answer.text().as_str()),
        (("parallel:single", None), "about points")
    );
}

#[tokio::test]
async fn collaborate_stops_on_agreement_and_otherwise_lets_one_model_answer() {
    let agents = [FakeModel::saying("It is noon.").await, FakeModel::saying("it is noon").await];
    let stubborn = FakeModel::builder().otherwise(|request: &Request| {
        let aggregates = request.json()["stream"] == true;
        Step::says(request, if aggregates { "one voice" } else { "midnight" })
    });
    let stubborn = stubborn.start().await;
    let config = |third: &FakeModel| {
        let mut config =
            built_in("collaborate", "grants = [\"outputs\"]\nsettings = { agents = 3, rounds = 2 }")
                + &route("collaborate");
        for (name, fake) in ["a", "b", "c"].iter().zip(agents.iter().chain([third])) {
            config += &backend(name, fake, "");
        }
        for (name, quality) in [("a", 0.5), ("b", 0.6), ("c", 0.9)] {
            config += &model(&format!("{name}/chat"), 1, &format!("quality = {quality}\n"));
        }
        config
    };
    let agreeing = FakeModel::saying("It is noon.").await;
    let gateway = Gateway::start(&config(&agreeing)).await;
    let answer = ask(&gateway, &chat("main", "What time is it?")).await;
    assert_eq!(
        (route_and_tasks(&answer), answer.text().as_str()),
        (("collaborate:agreed", Some("3")), "It is noon.")
    );

    let gateway = Gateway::start(&config(&stubborn)).await;
    let stream = open(&gateway, &streamed("main", "What time is it?")).await;
    assert_eq!(
        (&stream.headers["x-pointsman-route"], &stream.headers["x-pointsman-tasks"]),
        (&"collaborate:aggregated".parse().expect("text"), &"7".parse().expect("text"))
    );
    assert_eq!(stream.text().await, "one voice");
    let second = agents[0].requests().last().expect("a second round").json()["messages"].to_string();
    assert!(second.contains("midnight"), "it saw what the others said: {second}");
}

#[tokio::test]
async fn cascade_returns_a_confident_cheap_answer_and_otherwise_escalates() {
    let cheap = FakeModel::builder().otherwise(|request| {
        let sure = request.json()["messages"].to_string().contains("easy");
        Step::says(request, if sure { "Lima.\nCONFIDENCE: 95" } else { "Perhaps.\nCONFIDENCE: 20" })
    });
    let (cheap, best) = (cheap.start().await, FakeModel::saying("Certainly.").await);
    let policy =
        built_in("cascade", "grants = [\"prompt\", \"outputs\"]\nsettings = { check = \"self-report\" }");
    let config = backend("a", &cheap, "")
        + &backend("b", &best, "")
        + &model("a/small", 1, "quality = 0.5\n")
        + &model("b/large", 10, "quality = 0.9\n")
        + &policy
        + &route("cascade");
    let gateway = Gateway::start(&config).await;
    let answer = ask(&gateway, &chat("main", "An easy one")).await;
    assert_eq!((route_and_tasks(&answer), answer.text().as_str()), (("cascade:level-1", Some("1")), "Lima."));
    assert_eq!(best.requests().len(), 0);
    let answer = ask(&gateway, &chat("main", "A hard one")).await;
    assert_eq!(
        (route_and_tasks(&answer), answer.text().as_str()),
        (("cascade:last", Some("2")), "Certainly.")
    );
    assert_eq!(last_text(&best.request(1).await.json()), "A hard one");
}

const EMBEDDED_DEFAULT: &str = include_str!("../../../host/config/src/default.toml");

#[tokio::test]
async fn every_route_of_the_embedded_default_answers_whole_and_streamed() {
    let gateway = Gateway::start(&with_ample_deadlines(EMBEDDED_DEFAULT)).await;
    let list = "Answer each in a sentence:\n1. What is a point?\n2. Who sets it?\n3. Why must it not move?";
    let cases = [
        ("multimodal", with_everything("multimodal"), "multimodal:parts"),
        ("auto", with_everything("auto"), "multimodal:parts"),
        ("sequential", chat("sequential", "Write a notice."), "sequential"),
        ("parallel", chat("parallel", list), "parallel:list"),
        ("collaborate", chat("collaborate", "Should the town keep its tram?"), "collaborate:aggregated"),
        ("cascade", chat("cascade", "Which is heavier, a tram or a bus?"), "cascade:last"),
    ];
    for (route, mut body, label) in cases {
        body["max_completion_tokens"] = 20.into();
        let answer = ask(&gateway, &body).await;
        assert_eq!(answer.status, 200, "{route}: {}", String::from_utf8_lossy(&answer.body));
        assert_eq!(answer.header("x-pointsman-route"), Some(label), "{route}");
        assert!(!answer.text().is_empty());
        let tasks: usize =
            answer.header("x-pointsman-tasks").and_then(|tasks| tasks.parse().ok()).expect("a number");
        assert!(tasks >= 3, "{route}: {tasks}");
        body["stream"] = true.into();
        assert!(!open(&gateway, &body).await.text().await.is_empty(), "{route}");
    }
}

#[tokio::test]
async fn sound_that_no_model_accepts_is_rejected_by_name() {
    let tongue = FakeModel::saying("hello").await;
    let config = backend("a", &tongue, "")
        + &model("a/chat", 1, "")
        + &built_in("multimodal", "")
        + &route("multimodal");
    let gateway = Gateway::start(&config).await;
    let mut body: Value = serde_json::from_str(WITH_RECORDING).expect("JSON");
    body["model"] = "main".into();
    let message = error(&ask(&gateway, &body).await, 400, "unsupported_request");
    assert!(message.contains("`input_audio`"), "{message}");
}
