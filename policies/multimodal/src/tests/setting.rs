//! One test for each setting.

use super::*;

/// The calls for a question with a picture and a recording.
fn calls(settings: &str) -> Vec<Call> {
    let (gateway, request) = mixed(fleet().settings(settings));
    run(&gateway, &request, &models()).unwrap().calls
}

#[test]
fn prefer_decides_who_answers_unless_the_client_says() {
    let mut models = models();
    let quick = Candidate { tokens_per_second: Some(900.0), ..models[0].clone() };
    models.push(Candidate { id: "fleet/mistral-7b".to_owned(), input_price: 25.0, ..quick });
    let answers = |settings: &str, header: Option<&str>| {
        let (gateway, request) = mixed(fleet().settings(settings));
        let gateway = header.into_iter().fold(gateway, Gateway::prefer);
        run(&gateway, &request, &models).unwrap().calls[2].model.clone()
    };
    assert_eq!(answers(r#"{"prefer":"quality"}"#, None), "fleet/llama-70b");
    assert_eq!(answers(r#"{"prefer":"cost"}"#, None), "fleet/llama-7b");
    assert_eq!(answers(r#"{"prefer":"speed"}"#, None), "fleet/mistral-7b");
    assert_eq!(answers(r#"{"prefer":"speed"}"#, Some("cost")), "fleet/llama-7b");
}

#[test]
fn quality_counts_at_what_a_model_is_asked_for() {
    let mut models = models();
    models.push(Candidate { quality: Some(0.9), inputs: IMAGE, ..candidate("cloud/eye", 90.0, 90.0) });
    let (gateway, request) = mixed(fleet().task_quality(2, "vision", 0.95).task_quality(0, "chat", 0.99));
    let done = run(&gateway, &request, &models).unwrap();
    assert_eq!(
        (done.calls[0].model.as_str(), done.calls[2].model.as_str()),
        ("fleet/clip", "fleet/llama-7b")
    );
}

#[test]
fn whole_first_lets_a_model_that_takes_everything_answer() {
    let mut models = models();
    models.insert(0, Candidate { inputs: IMAGE | AUDIO, ..candidate("cloud/omni", 90.0, 90.0) });
    let label = |settings: &str, models: &[Candidate]| {
        let whisper = models.len() as u32 - 1;
        let gateway = Gateway::new().settings(settings).operations(whisper, &["transcription"]);
        let (gateway, request) = mixed(gateway);
        run(&gateway, &request, models).unwrap().label
    };
    assert_eq!(label("{}", &models), "multimodal:parts");
    assert_eq!(label(r#"{"whole_first":true}"#, &models), "multimodal:whole");
    assert_eq!(label(r#"{"whole_first":true}"#, &models[1..]), "multimodal:parts", "there is none");
}

#[test]
fn max_parts_keeps_the_newest_and_tells_of_the_rest() {
    let gateway = fleet().settings(r#"{"max_parts":1}"#).user("and now?").picture().recording().picture();
    let done = run(&gateway, &Request { inputs: IMAGE | AUDIO, ..request() }, &models()).unwrap();
    assert_eq!(done.names(), ["picture:2", "answer"]);
    let findings = &done.calls[1].messages[0].1;
    assert!(
        findings.contains("\n\nOlder pictures and recordings, not looked at: 2\n\nPicture 2:\n"),
        "{findings}"
    );
}

#[test]
fn optional_false_fails_the_request_with_its_part() {
    let (gateway, request) = mixed(fleet().settings(r#"{"optional":false}"#));
    let failed = gateway.orchestrate::<Multimodal>(&request, &models(), |call| match call.model.as_str() {
        "fleet/clip" => Err("down".to_owned()),
        _ => speak(call),
    });
    assert_eq!(failed, Err(Refusal::Internal("task `picture:1` failed: down".to_owned())));
}

#[test]
fn otherwise_stands_for_what_failed() {
    let (gateway, request) = mixed(fleet().settings(r#"{"otherwise":"(nothing)"}"#));
    let done = gateway.orchestrate::<Multimodal>(&request, &models(), |call| match call.model.as_str() {
        "fleet/clip" => Err("down".to_owned()),
        _ => speak(call),
    });
    assert!(done.unwrap().calls.last().unwrap().messages[0].1.contains("Picture 1:\n(nothing)\n"));
}

#[test]
fn with_question_false_keeps_the_text_from_the_vision_model() {
    let calls = calls(r#"{"with_question":false,"picture_instruction":"Look."}"#);
    assert_eq!(calls[0].messages, [said("user", "Look.[image 0.1]")]);
}

#[test]
fn the_instructions_are_the_settings() {
    let settings =
        r#"{"picture_instruction":"Look.","recording_instruction":"Listen.","answer_instruction":"Seen:"}"#;
    let mut models = models();
    models[3].inputs = AUDIO;
    let (gateway, request) = mixed(Gateway::new().settings(settings));
    let calls = run(&gateway, &request, &models).unwrap().calls;
    assert!(calls[0].messages[0].1.starts_with("Look.\n\nThe message"));
    assert_eq!(calls[1].messages[0].1, "Listen.[audio 0.2]");
    assert!(calls[2].messages[0].1.starts_with("Seen:\n\nPicture 1:\n"));
}

#[test]
fn findings_as_user_puts_them_after_the_conversation() {
    let calls = calls(r#"{"findings_as":"user"}"#);
    let roles: Vec<&str> = calls[2].messages.iter().map(|(role, _)| role.as_str()).collect();
    assert_eq!(roles, ["user", "user"]);
    assert!(calls[2].messages[1].1.contains("Picture 1"));
}

#[test]
fn max_output_tokens_limits_what_is_said_in_chats_and_not_the_answer() {
    let limits = |settings: &str| -> Vec<Option<u32>> {
        calls(settings).iter().map(|call| call.task.max_output_tokens).collect()
    };
    assert_eq!(limits(r#"{"max_output_tokens":99}"#), [Some(99), None, None]);
    assert_eq!(limits("{}")[0], Some(1024));
}

#[test]
fn timeout_ms_limits_the_parts_and_a_deadline_leaves_time_for_the_answer() {
    let times = |settings: &str, deadline_ms| -> Vec<Option<u32>> {
        let (gateway, request) = mixed(fleet().settings(settings));
        let done = run(&gateway, &Request { deadline_ms, ..request }, &models()).unwrap();
        done.calls.iter().map(|call| call.task.timeout_ms).collect()
    };
    assert_eq!(times("{}", None), [None, None, None]);
    assert_eq!(times(r#"{"timeout_ms":900}"#, None), [Some(900), Some(900), None]);
    assert_eq!(times(r#"{"timeout_ms":900}"#, Some(1000)), [Some(500), Some(500), None]);
    assert_eq!(times(r#"{"timeout_ms":100}"#, Some(1000)), [Some(100), Some(100), None]);
}

#[test]
fn invalid_settings_are_reported_by_name() {
    let error = |json: &str| Gateway::new().settings(json).validate_orchestrator::<Multimodal>().unwrap_err();
    assert_eq!(error(r#"{"max_parts":0}"#), "setting `max_parts`: 0 is not in 1..32");
    assert_eq!(error(r#"{"max_parts":33}"#), "setting `max_parts`: 33 is not in 1..32");
    for name in ["picture_instruction", "recording_instruction", "answer_instruction"] {
        assert_eq!(
            error(&format!(r#"{{"{name}":" "}}"#)),
            format!("setting `{name}`: it says nothing; leave it out for the default")
        );
    }
    assert_eq!(error(r#"{"max_output_tokens":0}"#), "setting `max_output_tokens`: 0 is less than 1");
    assert!(error(r#"{"timeout_ms":0}"#).starts_with("setting `timeout_ms`: 0 is less than 1"));
    assert!(error(r#"{"prefer":"luck"}"#).starts_with("setting `prefer`: unknown variant `luck`"));
    assert!(error(r#"{"findings_as":"tool"}"#).contains("expected `system` or `user`"));
    assert!(error(r#"{"whole":true}"#).contains("expected one of `prefer`, `whole_first`"));
    assert_eq!(Gateway::new().validate_orchestrator::<Multimodal>(), Ok(()));
}
