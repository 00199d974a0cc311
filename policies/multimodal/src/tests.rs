use pointsman_sdk::testkit::{Call, Ending, Gateway, Orchestrated, candidate, request};
use pointsman_sdk::{Abilities, Candidate, Modalities, Refusal, Request};

use super::*;

mod failures;
mod setting;

const IMAGE: Modalities = Modalities::TEXT.union(Modalities::IMAGE);
const AUDIO: Modalities = Modalities::TEXT.union(Modalities::AUDIO);

/// A fleet of specialists; `fleet` says of it what each can be called for.
fn models() -> Vec<Candidate> {
    let model = |id, price, quality, inputs| Candidate {
        quality: Some(quality),
        inputs,
        first_token_ms: Some(20.0),
        ..candidate(id, price, price)
    };
    vec![
        Candidate { tokens_per_second: Some(400.0), ..model("fleet/llama-7b", 20.0, 0.6, Modalities::TEXT) },
        Candidate {
            tokens_per_second: Some(150.0),
            ..model("fleet/llama-70b", 50.0, 0.85, Modalities::TEXT)
        },
        Candidate { tokens_per_second: Some(500.0), ..model("fleet/clip", 30.0, 0.1, IMAGE) },
        model("fleet/whisper", 30.0, 0.1, Modalities::AUDIO),
    ]
}

fn fleet() -> Gateway {
    Gateway::new().operations(3, &["transcription"])
}

/// A question with a picture and a recording.
fn mixed(gateway: Gateway) -> (Gateway, Request) {
    let gateway = gateway.user("Is it the same dog?").picture().recording();
    (gateway, Request { inputs: IMAGE | AUDIO, ..request() })
}

/// The answer of a healthy model: its name and the task.
fn speak(call: &Call) -> Result<String, String> {
    Ok(format!("<{} by {}>", call.task.name, call.model))
}

fn run(gateway: &Gateway, request: &Request, models: &[Candidate]) -> Result<Orchestrated, Refusal> {
    gateway.orchestrate::<Multimodal>(request, models, speak)
}

fn said(role: &str, text: &str) -> (String, String) {
    (role.to_owned(), text.to_owned())
}

#[test]
fn each_kind_goes_to_its_model_and_the_answer_comes_from_what_they_found() {
    let (gateway, request) = mixed(fleet());
    let done = run(&gateway, &request, &models()).unwrap();
    assert_eq!((done.answer(), done.label.as_str()), ("<answer by fleet/llama-70b>", "multimodal:parts"));
    assert_eq!(done.names(), ["picture:1", "recording:1", "answer"]);
    assert_eq!(
        done.reason.as_deref(),
        Some("1 picture to fleet/clip, 1 recording to fleet/whisper; fleet/llama-70b answers")
    );
    let look = Settings::default().picture_instruction;
    let question = "\n\nThe message that it came with:\nIs it the same dog?[image 0.1]";
    assert_eq!(done.calls[0].messages, [said("user", &format!("{look}{question}"))]);
    assert_eq!(done.calls[1].messages, [said("user", "[audio 0.2]")]);
    assert_eq!(done.calls[1].task.operation, "transcription");
    let findings = format!(
        "{}\n\nPicture 1:\n<picture:1 by fleet/clip>\n\nRecording 1:\n<recording:1 by fleet/whisper>",
        Settings::default().answer_instruction
    );
    assert_eq!(done.calls[2].messages, [said("system", &findings), said("user", "Is it the same dog?")]);
    assert!(!gateway.prompt_was_read() && !gateway.outputs_were_read());
}

#[test]
fn media_are_read_side_by_side() {
    let (gateway, request) = mixed(fleet());
    let done = run(&gateway, &request, &models()).unwrap();
    let waits: Vec<usize> = done.calls.iter().map(|call| call.task.after.len()).collect();
    assert_eq!(waits, [0, 0, 2]);
}

#[test]
fn one_kind_is_only_routed() {
    let routed = |gateway: Gateway, inputs, order: &[usize]| {
        let models: Vec<Candidate> = order.iter().map(|&index| models()[index].clone()).collect();
        let done = run(&gateway, &Request { inputs, ..request() }, &models).unwrap();
        let Ending::Routed(decision) = done.ending else { panic!("not routed") };
        let ids: Vec<String> =
            decision.targets.iter().map(|target| models[target.candidate as usize].id.clone()).collect();
        (ids, done.label, done.reason.unwrap_or_default())
    };
    let single = |ids: &[&str], reason: &str| {
        (
            ids.iter().map(|&id| id.to_owned()).collect::<Vec<_>>(),
            "multimodal:single".to_owned(),
            reason.to_owned(),
        )
    };
    assert_eq!(
        routed(fleet().user("hi"), Modalities::TEXT, &[0, 1, 2, 3]),
        single(
            &["fleet/llama-70b", "fleet/llama-7b", "fleet/clip"],
            "fleet/llama-70b can serve it whole; first by quality"
        )
    );
    assert_eq!(
        routed(Gateway::new().picture(), Modalities::IMAGE, &[2, 0]).0,
        ["fleet/clip"],
        "a picture alone"
    );
    assert_eq!(routed(Gateway::new().recording(), Modalities::AUDIO, &[3, 0]).0, ["fleet/whisper"]);
}

#[test]
fn a_spoken_question_is_written_down_and_answered() {
    let gateway = fleet().recording();
    let spoken = Request { inputs: Modalities::AUDIO, ..request() };
    let done = run(&gateway, &spoken, &models()).unwrap();
    assert_eq!(done.names(), ["recording:1", "answer"]);
    let [(role, text)] = &done.calls[1].messages[..] else { panic!("not one message") };
    assert_eq!(role, "user", "some message has to be the person's");
    assert!(text.ends_with("\n\nRecording 1:\n<recording:1 by fleet/whisper>"), "{text}");
}

#[test]
fn a_spoken_message_in_a_written_conversation_comes_last() {
    let gateway = fleet().user("hi").message("assistant", "hello").message("user", "").recording();
    let request = Request { inputs: AUDIO, turns: 3, ..request() };
    let done = run(&gateway, &request, &models()).unwrap();
    let roles: Vec<&str> = done.calls[1].messages.iter().map(|(role, _)| role.as_str()).collect();
    assert_eq!(roles.last(), Some(&"user"));
    assert!(done.calls[1].messages.last().unwrap().1.contains("Recording 1"));
}

#[test]
fn without_a_model_for_text_the_answer_is_what_was_said() {
    let gateway = Gateway::new().operations(0, &["transcription"]).recording().recording();
    let spoken = Request { inputs: Modalities::AUDIO, needs: Abilities::STREAMING, ..request() };
    let done = run(&gateway, &spoken, &models()[3..]).unwrap();
    assert_eq!(done.answer(), "<recording:1 by fleet/whisper>\n\n<recording:2 by fleet/whisper>");
    assert_eq!(done.label, "multimodal:transcript");
    assert_eq!(done.reason.as_deref(), Some("2 recordings to fleet/whisper; no model answers in text"));
}

#[test]
fn a_recording_goes_to_a_model_that_chats_where_none_transcribes() {
    let mut models = models();
    models[3] = Candidate { inputs: AUDIO, ..models[3].clone() };
    let (gateway, request) = mixed(Gateway::new());
    let done = run(&gateway, &request, &models).unwrap();
    assert_eq!(
        (done.calls[1].task.operation.as_str(), done.calls[1].model.as_str()),
        ("chat", "fleet/whisper")
    );
    let listen = Settings::default().recording_instruction;
    assert_eq!(done.calls[1].messages, [said("user", &format!("{listen}[audio 0.2]"))]);
}

#[test]
fn the_answer_needs_what_the_client_asks_for_and_the_other_tasks_do_not() {
    let mut models = models();
    models[0].abilities = Abilities::TOOLS;
    let (gateway, request) = mixed(fleet().whole(0));
    let done = run(&gateway, &Request { needs: Abilities::TOOLS, ..request }, &models).unwrap();
    assert_eq!(done.calls[2].model, "fleet/llama-7b");
    assert_eq!(done.calls[0].model, "fleet/clip");
}

#[test]
fn a_loop_of_tool_calls_is_not_cut_while_a_model_can_follow_it() {
    let mut models = models();
    let tools =
        |inputs, model: &Candidate| Candidate { inputs, abilities: Abilities::TOOLS, ..model.clone() };
    models[0] = tools(IMAGE, &models[0]);
    models[1] = tools(Modalities::TEXT, &models[1]);
    let gateway = fleet().user("What is it?").picture().message("assistant", "").message("tool", "a dog");
    let request = Request { inputs: IMAGE, needs: Abilities::TOOLS, ..request() };
    let done = run(&gateway, &request, &models).unwrap();
    assert_eq!(done.label, "multimodal:whole");

    models[0].inputs = Modalities::TEXT;
    let done = run(&gateway.settings(r#"{"findings_as":"user"}"#), &request, &models).unwrap();
    assert_eq!(done.names(), ["picture:1", "answer"]);
    let last = done.calls[1].messages.last().unwrap();
    assert_eq!(last, &said("tool", "a dog"), "the model goes on from the result");
}

#[test]
fn a_request_that_is_too_long_for_every_model_is_not_cut() {
    let gateway = fleet().user("What is it?").picture().whole(0);
    let request = Request { inputs: IMAGE, ..request() };
    let refused = run(&gateway, &request, &models()).unwrap_err();
    assert_eq!(
        refused,
        Refusal::NoCandidate("the request is too long for every model of this route".to_owned())
    );
}

#[test]
fn what_only_the_assistant_or_a_tool_sent_is_not_cut_off() {
    let mut models = models();
    models.swap(0, 2);
    let gateway = fleet().message("tool", "a screenshot").picture().user("go on");
    let done = run(&gateway, &Request { inputs: IMAGE, ..request() }, &models).unwrap();
    assert!(matches!(done.ending, Ending::Routed(_)));
    assert_eq!(done.label, "multimodal:whole");
}

#[test]
fn what_cannot_be_cut_goes_to_a_model_that_takes_all_of_it() {
    let mut models = models();
    let all = Modalities::TEXT | Modalities::VIDEO | Modalities::IMAGE;
    models.insert(0, Candidate { inputs: all, ..candidate("cloud/omni", 90.0, 90.0) });
    let video = Request { inputs: all, ..request() };
    let done = run(&Gateway::new().user("see").picture(), &video, &models).unwrap();
    assert_eq!(done.label, "multimodal:whole");

    let embedding = Request { operation: "embedding".to_owned(), ..request() };
    let done = run(&Gateway::new().user("see"), &embedding, &models).unwrap();
    assert!(matches!(done.ending, Ending::Routed(_)));
}
