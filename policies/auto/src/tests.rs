use pointsman_sdk::testkit::{Call, Ending, Gateway, Orchestrated, candidate, request};
use pointsman_sdk::{Abilities, Modalities};

use super::*;

const IMAGE: Modalities = Modalities::TEXT.union(Modalities::IMAGE);

fn models() -> [Candidate; 4] {
    let model = |id, price, quality, inputs| Candidate {
        quality: Some(quality),
        inputs,
        ..candidate(id, price, price)
    };
    [
        model("fleet/mistral-7b", 20.0, 0.84, Modalities::TEXT),
        model("fleet/llama-70b", 50.0, 0.85, Modalities::TEXT),
        model("fleet/clip", 20.0, 0.1, IMAGE),
        model("fleet/whisper", 20.0, 0.1, Modalities::AUDIO),
    ]
}

fn fleet() -> Gateway {
    Gateway::new().operations(3, &["transcription"])
}

fn speak(call: &Call) -> Result<String, String> {
    Ok(format!("<{} by {}>", call.task.name, call.model))
}

fn run(gateway: &Gateway, request: &Request, models: &[Candidate]) -> Result<Orchestrated, Refusal> {
    gateway.orchestrate::<Auto>(request, models, speak)
}

fn mixed() -> Request {
    Request { inputs: IMAGE | Modalities::AUDIO, ..request() }
}

#[test]
fn text_goes_to_one_model_as_dynamic_says() {
    let gateway = fleet().user("hi there");
    let done = run(&gateway, &request(), &models()).unwrap();
    let Ending::Routed(decision) = &done.ending else { panic!("not routed") };
    let targets: Vec<u32> = decision.targets.iter().map(|target| target.candidate).collect();
    assert_eq!((targets, done.label.as_str()), (vec![0, 1, 2], "dynamic:cost"));
    assert!(gateway.prompt_was_read());
}

#[test]
fn several_kinds_of_content_go_to_several_models_as_multimodal_says() {
    let gateway = fleet().user("What is this, and what is said?").picture().recording();
    let done = run(&gateway, &mixed(), &models()).unwrap();
    assert_eq!((done.answer(), done.label.as_str()), ("<answer by fleet/llama-70b>", "multimodal:parts"));
    assert_eq!(done.names(), ["picture:1", "recording:1", "answer"]);
    assert!(!gateway.prompt_was_read() && !gateway.outputs_were_read());
}

#[test]
fn one_kind_that_no_model_serves_whole_is_cut_too() {
    let spoken = Request { inputs: Modalities::AUDIO, ..request() };
    let done = run(&fleet().recording(), &spoken, &models()).unwrap();
    assert_eq!(done.names(), ["recording:1", "answer"]);
}

#[test]
fn only_models_that_serve_the_whole_request_are_weighed_for_it() {
    let mut models = models();
    models[0].abilities = Abilities::TOOLS;
    let needs = Request { needs: Abilities::TOOLS, ..request() };
    let done = run(&fleet().user("hi"), &needs, &models).unwrap();
    let Ending::Routed(decision) = &done.ending else { panic!("not routed") };
    assert_eq!(decision.targets.len(), 1);
}

#[test]
fn the_settings_of_both_are_in_tables_of_their_own() {
    let only_the_best = r#"{"dynamic":{"easy_share":1.0}}"#;
    let done = run(&fleet().settings(only_the_best).user("hi there"), &request(), &models()).unwrap();
    assert_eq!(done.label, "dynamic:task");

    let cheap = r#"{"multimodal":{"prefer":"cost"}}"#;
    let gateway = fleet().settings(cheap).user("What is this?").picture().recording();
    assert_eq!(run(&gateway, &mixed(), &models()).unwrap().answer(), "<answer by fleet/mistral-7b>");

    let whole = r#"{"multimodal":{"whole_first":true}}"#;
    let mut models = models();
    models.swap(0, 2);
    let gateway = fleet().settings(whole).user("What is this?").picture();
    let done = run(&gateway, &Request { inputs: IMAGE, ..request() }, &models).unwrap();
    assert!(done.label.starts_with("dynamic:"), "{}", done.label);
}

#[test]
fn a_dead_model_leaves_a_gap_and_all_dead_ones_fail_the_request() {
    let gateway = fleet().user("What is this, and what is said?").picture().recording();
    let done = gateway.orchestrate::<Auto>(&mixed(), &models(), |call| match call.model.as_str() {
        "fleet/clip" => Err("down".to_owned()),
        _ => speak(call),
    });
    assert!(done.unwrap().calls.last().unwrap().messages[0].1.contains("(could not be read)"));
    let failed = gateway.orchestrate::<Auto>(&mixed(), &models(), |_| Err("down".to_owned()));
    assert_eq!(failed, Err(Refusal::Internal("task `answer` failed: down".to_owned())));
}

#[test]
fn what_no_model_can_do_is_refused() {
    let gateway = fleet().user("What is this?").picture().recording();
    let blind = models().map(|model| Candidate { inputs: model.inputs - Modalities::IMAGE, ..model });
    assert!(matches!(run(&gateway, &mixed(), &blind), Err(Refusal::NoCandidate(_))));
    let video = Request { inputs: Modalities::VIDEO, ..request() };
    assert!(matches!(run(&gateway, &video, &models()), Err(Refusal::NoCandidate(_))));
}

#[test]
fn a_budget_denies_what_it_cannot_pay() {
    let gateway = fleet().user("What is this?").picture().recording();
    for request in [request(), mixed()] {
        let poor = Request { budget_left: Some(1e-9), ..request };
        assert!(matches!(run(&gateway, &poor, &models()), Err(Refusal::Denied(_))));
    }
}

#[test]
fn invalid_settings_are_reported_with_their_table() {
    let error = |json: &str| Gateway::new().settings(json).validate_orchestrator::<Auto>().unwrap_err();
    assert_eq!(error(r#"{"dynamic":{"slots":0}}"#), "setting `dynamic.slots`: 0 is less than 1");
    assert_eq!(
        error(r#"{"multimodal":{"max_parts":0}}"#),
        "setting `multimodal.max_parts`: 0 is not in 1..32"
    );
    assert!(error(r#"{"dynamic":{"slots":"many"}}"#).starts_with("setting `dynamic.slots`: invalid type"));
    assert!(error(r#"{"slots":1}"#).contains("expected `dynamic` or `multimodal`"));
}
