//! Models that are dead, or not there at all.

use super::*;

/// Says nothing where the call goes to one of these models.
fn dead<'a>(models: &'a [&str]) -> impl FnMut(&Call) -> Result<String, String> + 'a {
    |call| if models.contains(&call.model.as_str()) { Err("down".to_owned()) } else { speak(call) }
}

fn refused(answer: Result<Orchestrated, Refusal>) -> String {
    match answer.unwrap_err() {
        Refusal::NoCandidate(message) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_failed_vision_model_is_reported_to_the_answering_model() {
    let (gateway, request) = mixed(fleet());
    let done = gateway.orchestrate::<Multimodal>(&request, &models(), dead(&["fleet/clip"])).unwrap();
    assert_eq!(done.answer(), "<answer by fleet/llama-70b>");
    let findings = &done.calls.last().unwrap().messages[0].1;
    assert!(findings.contains("Picture 1:\n(could not be read)\n\nRecording 1:\n<recording:1"), "{findings}");
    assert!(findings.contains("Where something could not be read, say so"), "{findings}");
}

#[test]
fn when_all_media_fail_the_answer_still_comes_and_can_say_so() {
    let (gateway, request) = mixed(fleet());
    let done = gateway
        .orchestrate::<Multimodal>(&request, &models(), dead(&["fleet/clip", "fleet/whisper"]))
        .unwrap();
    assert_eq!(done.answer(), "<answer by fleet/llama-70b>");
    assert_eq!(done.calls.last().unwrap().messages[0].1.matches("(could not be read)").count(), 2);
}

#[test]
fn a_dead_answering_model_is_replaced_by_the_next() {
    let (gateway, request) = mixed(fleet());
    let done = gateway.orchestrate::<Multimodal>(&request, &models(), dead(&["fleet/llama-70b"])).unwrap();
    assert_eq!(done.answer(), "<answer by fleet/llama-7b>");
}

#[test]
fn without_any_living_model_the_request_fails() {
    let (gateway, request) = mixed(fleet());
    let failed = gateway.orchestrate::<Multimodal>(&request, &models(), |_| Err("down".to_owned()));
    assert_eq!(failed, Err(Refusal::Internal("task `answer` failed: down".to_owned())));
}

#[test]
fn a_recording_whose_transcript_is_the_answer_cannot_be_left_out() {
    let gateway = Gateway::new().operations(0, &["transcription"]).recording();
    let spoken = Request { inputs: Modalities::AUDIO, ..request() };
    let failed = gateway.orchestrate::<Multimodal>(&spoken, &models()[3..], dead(&["fleet/whisper"]));
    assert_eq!(failed, Err(Refusal::Internal("task `recording:1` failed: down".to_owned())));
}

#[test]
fn a_sick_transcriber_gives_way_to_a_model_that_listens() {
    let mut models = models();
    models[3].healthy = false;
    models.push(Candidate { inputs: AUDIO, ..candidate("cloud/ears", 90.0, 90.0) });
    let (gateway, request) = mixed(fleet());
    let heard = |models: &[Candidate]| run(&gateway, &request, models).unwrap().calls[1].model.clone();
    assert_eq!(heard(&models), "cloud/ears");
    models[4].healthy = false;
    assert_eq!(heard(&models), "fleet/whisper", "where all are sick, transcribing is better");
}

#[test]
fn a_kind_that_no_model_takes_is_refused_by_name() {
    let (gateway, request) = mixed(fleet());
    let without = |index: usize| {
        let mut models = models();
        models[index].inputs = Modalities::TEXT;
        refused(run(&gateway, &request, &models))
    };
    assert_eq!(
        without(2),
        "no model of this route takes pictures; hint: add one, or send the request without"
    );
    assert!(without(3).starts_with("no model of this route takes recordings"));
}

#[test]
fn what_no_model_can_answer_is_refused() {
    let (gateway, request) = mixed(fleet());
    let needs = Abilities::TOOLS | Abilities::STRUCTURED_OUTPUT;
    assert_eq!(
        refused(run(&gateway, &Request { needs, ..request }, &models())),
        "no model of this route can answer with tools and structured output"
    );
}

#[test]
fn a_transcript_is_no_answer_to_a_question_or_for_a_tool() {
    let gateway = Gateway::new().operations(0, &["transcription"]).recording();
    let whisper = &models()[3..];
    let for_tools = Request { inputs: Modalities::AUDIO, needs: Abilities::TOOLS, ..request() };
    let message = refused(run(&gateway, &for_tools, whisper));
    assert_eq!(message, "no model of this route can answer with tools");
    let message = refused(run(&gateway, &Request { inputs: AUDIO, ..request() }, whisper));
    assert_eq!(message, "no model of this route can answer in text");
}

#[test]
fn what_cannot_be_cut_is_refused_where_no_model_takes_all_of_it() {
    let refused_of = |inputs| {
        let request = Request { inputs, ..request() };
        refused(run(&fleet().user("see"), &request, &models()))
    };
    let message = refused_of(Modalities::TEXT | Modalities::VIDEO | Modalities::DOCUMENT);
    assert!(message.starts_with("no model of this route can serve a request with video and document;"));

    let embedding = Request { operation: "embedding".to_owned(), ..request() };
    let message = refused(run(&fleet().whole(0).user("see"), &embedding, &models()));
    assert_eq!(message, "no model of this route can be called for embedding with it");
}

#[test]
fn a_request_with_nothing_to_cut_off_is_refused_where_no_model_serves_it() {
    let needs = Request { needs: Abilities::TOOLS, ..request() };
    let message = refused(run(&fleet().user("hi"), &needs, &models()));
    assert!(message.starts_with("no model of this route can serve the whole request"), "{message}");
}

#[test]
fn a_budget_has_to_pay_all_tasks() {
    let (gateway, request) = mixed(fleet());
    // Three calls of 356 tokens at $20 to $50 per million.
    let with = |left| run(&gateway, &Request { budget_left: Some(left), ..request.clone() }, &models());
    assert_eq!(with(0.054).unwrap().calls[2].model, "fleet/llama-70b");
    assert_eq!(with(0.05).unwrap().calls[2].model, "fleet/llama-7b", "the best that is affordable");
    assert!(matches!(with(0.02), Err(Refusal::Denied(_))));
}
