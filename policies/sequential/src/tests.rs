use pointsman_sdk::testkit::{Call, Ending, Gateway, Orchestrated, candidate, request};

use super::*;

fn models() -> [Candidate; 3] {
    let model = |id, price, quality| Candidate { quality: Some(quality), ..candidate(id, price, price) };
    [
        model("fleet/llama-7b", 20.0, 0.6),
        model("fleet/llama-70b", 50.0, 0.85),
        model("fleet/mistral-7b", 20.0, 0.65),
    ]
}

fn speak(call: &Call) -> Result<String, String> {
    Ok(format!("<{} by {}>", call.task.name, call.model))
}

fn run(gateway: &Gateway, request: &Request) -> Result<Orchestrated, Refusal> {
    gateway.orchestrate::<Sequential>(request, &models(), speak)
}

/// Runs a chain of stages that are given as JSON.
fn chain(stages: &str) -> Orchestrated {
    let settings = format!(r#"{{"stages":{stages}}}"#);
    run(&Gateway::new().settings(settings).user("Why?"), &request()).unwrap()
}

fn said(role: &str, text: &str) -> (String, String) {
    (role.to_owned(), text.to_owned())
}

fn refused(answer: Result<Orchestrated, Refusal>) -> String {
    match answer.unwrap_err() {
        Refusal::NoCandidate(message) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn by_default_an_answer_is_drafted_criticised_and_revised() {
    let gateway = Gateway::new().user("Why?");
    let done = run(&gateway, &request()).unwrap();
    assert_eq!((done.answer(), done.label.as_str()), ("<revise by fleet/llama-70b>", "sequential"));
    assert_eq!(done.names(), ["draft", "critique", "revise"]);
    assert_eq!(
        done.reason.as_deref(),
        Some("draft by fleet/llama-70b, critique by fleet/llama-70b, revise by fleet/llama-70b")
    );
    let instructions: Vec<String> =
        Settings::default().stages.into_iter().map(|stage| stage.instruction).collect();
    let why = || said("user", "Why?");
    assert_eq!(done.calls[0].messages, [said("system", &instructions[0]), why()]);
    let draft = said("assistant", "<draft by fleet/llama-70b>");
    assert_eq!(done.calls[1].messages, [why(), draft, said("user", &instructions[1])]);
    let both = "[draft]\n<draft by fleet/llama-70b>\n\n[critique]\n<critique by fleet/llama-70b>";
    assert_eq!(done.calls[2].messages, [why(), said("assistant", both), said("user", &instructions[2])]);
    assert!(!gateway.prompt_was_read() && !gateway.outputs_were_read());
}

#[test]
fn one_stage_is_a_call_with_its_instruction() {
    let done = chain(r#"[{"name":"only","instruction":"Be brief."}]"#);
    assert_eq!((done.names(), done.label.as_str()), (vec!["only"], "sequential"));
    assert_eq!(done.calls[0].messages, [said("system", "Be brief."), said("user", "Why?")]);
}

#[test]
fn a_stage_may_see_other_stages_without_the_conversation() {
    let done = chain(
        r#"[{"name":"a","instruction":"A."},{"name":"b","instruction":"B."},{"name":"c","instruction":"C.","sees":["b","a"]}]"#,
    );
    let both = "[b]\n<b by fleet/llama-70b>\n\n[a]\n<a by fleet/llama-70b>\n\nC.";
    assert_eq!(done.calls[2].messages, [said("user", both)]);
}

#[test]
fn stages_that_do_not_see_each_other_run_side_by_side() {
    let done = chain(
        r#"[{"name":"a","instruction":"A."},{"name":"b","instruction":"B.","sees":["conversation"]},{"name":"c","instruction":"C."}]"#,
    );
    let waits: Vec<&[u32]> = done.calls.iter().map(|call| call.task.after.as_slice()).collect();
    assert_eq!(waits, [&[][..], &[][..], &[0, 1][..]]);
}

#[test]
fn a_stage_goes_only_to_models_that_fit_and_keeps_its_limit() {
    let gateway = Gateway::new().user("Why?").settings(
        r#"{"stages":[{"name":"a","instruction":"A.","model":"*-7b","max_output_tokens":99},{"name":"b","instruction":"B."}]}"#,
    );
    let dead_small = |call: &Call| match call.model.as_str() {
        "fleet/mistral-7b" => Err("down".to_owned()),
        _ => speak(call),
    };
    let done = gateway.orchestrate::<Sequential>(&request(), &models(), dead_small).unwrap();
    let called: Vec<(&str, Option<u32>)> =
        done.calls.iter().map(|call| (call.model.as_str(), call.task.max_output_tokens)).collect();
    assert_eq!(
        called,
        [("fleet/mistral-7b", Some(99)), ("fleet/llama-7b", Some(99)), ("fleet/llama-70b", None)],
        "the second best that fits stands in"
    );
}

#[test]
fn prefer_decides_the_order_unless_the_client_says() {
    let first = |settings: &str, header: Option<&str>| {
        let gateway = Gateway::new().user("Why?").settings(settings);
        let gateway = header.into_iter().fold(gateway, Gateway::prefer);
        run(&gateway, &request()).unwrap().calls[0].model.clone()
    };
    assert_eq!(first("{}", None), "fleet/llama-70b");
    assert_eq!(first(r#"{"prefer":"cost"}"#, None), "fleet/llama-7b");
    assert_eq!(first(r#"{"prefer":"cost"}"#, Some("quality")), "fleet/llama-70b");
    let error = Gateway::new().settings(r#"{"prefer":1}"#).validate_orchestrator::<Sequential>().unwrap_err();
    assert!(error.starts_with("setting `prefer`"), "{error}");
}

#[test]
fn pictures_go_to_every_stage_that_sees_the_conversation() {
    let both = Modalities::TEXT | Modalities::IMAGE;
    let mut models = models();
    models[0].inputs = both;
    let stages =
        r#"{"stages":[{"name":"a","instruction":"A."},{"name":"b","instruction":"B.","sees":["a"]}]}"#;
    let gateway = Gateway::new().settings(stages).user("What is it?").picture();
    let with_picture = Request { inputs: both, ..request() };
    let done = gateway.orchestrate::<Sequential>(&with_picture, &models, speak).unwrap();
    let called: Vec<&str> = done.calls.iter().map(|call| call.model.as_str()).collect();
    assert_eq!(called, ["fleet/llama-7b", "fleet/llama-70b"]);
    assert_eq!(done.calls[0].messages[1].1, "What is it? [image 0.1]");
}

#[test]
fn only_the_last_stage_has_to_be_able_to_do_what_the_client_asks_for() {
    let mut models = models();
    models[0].abilities = Abilities::STRUCTURED_OUTPUT;
    let needs = Request { needs: Abilities::STRUCTURED_OUTPUT, ..request() };
    let done = Gateway::new().user("Why?").orchestrate::<Sequential>(&needs, &models, speak).unwrap();
    let called: Vec<&str> = done.calls.iter().map(|call| call.model.as_str()).collect();
    assert_eq!(called, ["fleet/llama-70b", "fleet/llama-70b", "fleet/llama-7b"]);
}

#[test]
fn a_conversation_that_is_too_long_for_a_model_goes_to_another() {
    let mut models = models();
    models[1].context_window = Some(1000);
    let long = Request { input_tokens: 5000, ..request() };
    let gateway = Gateway::new().user("Why?").whole(2);
    let done = gateway.orchestrate::<Sequential>(&long, &models, speak).unwrap();
    assert_eq!(done.calls[0].model, "fleet/mistral-7b");
}

#[test]
fn a_stage_that_fails_on_all_models_fails_the_request() {
    let gateway = Gateway::new().user("Why?");
    let failed = gateway.orchestrate::<Sequential>(&request(), &models(), |call| {
        if call.task.name == "critique" { Err("down".to_owned()) } else { speak(call) }
    });
    assert_eq!(failed, Err(Refusal::Internal("task `critique` failed: down".to_owned())));
}

/// The models of a routed request in their order, the label, and the reason.
fn routed(done: Orchestrated, models: &[Candidate]) -> (Vec<&str>, String, String) {
    let Ending::Routed(decision) = done.ending else { panic!("not routed") };
    let ids = decision.targets.iter().map(|target| models[target.candidate as usize].id.as_str()).collect();
    (ids, done.label, done.reason.unwrap_or_default())
}

#[test]
fn a_loop_of_tool_calls_goes_to_one_model_and_first_to_those_of_the_last_stage() {
    let models = models().map(|model| Candidate { abilities: Abilities::TOOLS, ..model });
    let request = Request { needs: Abilities::TOOLS, turns: 7, ..request() };
    let mut gateway = Gateway::new().user("What is the weather?");
    for turn in ["sunny", "22", "dry"] {
        gateway = gateway.message("assistant", "").message("tool", turn);
    }
    let stages =
        r#"{"stages":[{"name":"a","instruction":"A."},{"name":"b","instruction":"B.","model":"*-7b"}]}"#;
    for (gateway, order) in [
        (gateway.clone(), ["fleet/llama-70b", "fleet/mistral-7b", "fleet/llama-7b"]),
        (gateway.settings(stages), ["fleet/mistral-7b", "fleet/llama-7b", "fleet/llama-70b"]),
    ] {
        let done = gateway.orchestrate::<Sequential>(&request, &models, |_| unreachable!()).unwrap();
        let (ids, label, _) = routed(done, &models);
        assert_eq!((ids, label.as_str()), (order.to_vec(), "sequential:tools"));
    }
}

#[test]
fn a_stage_that_no_model_can_do_leaves_the_request_to_one_model() {
    let gateway = Gateway::new()
        .user("Why?")
        .settings(r#"{"stages":[{"name":"a","instruction":"A.","model":"gpt-*"}]}"#);
    let models = models();
    let (ids, label, reason) = routed(run(&gateway, &request()).unwrap(), &models);
    assert_eq!((ids[0], label.as_str()), ("fleet/llama-70b", "sequential:routed"));
    assert_eq!(reason, "stage `a`: no model of this route that fits `gpt-*` takes text");
}

#[test]
fn a_request_that_no_model_can_serve_is_refused_by_the_name_of_the_stage() {
    let gateway = Gateway::new().user("Why?").picture();
    let with_picture = Request { inputs: Modalities::TEXT | Modalities::IMAGE, ..request() };
    assert_eq!(
        refused(run(&gateway, &with_picture)),
        "stage `draft`: no model of this route takes text and image"
    );
    let needs = Request { needs: Abilities::STRUCTURED_OUTPUT | Abilities::REASONING, ..request() };
    assert_eq!(
        refused(run(&gateway, &needs)),
        "stage `revise`: no model of this route takes text and can do structured output and reasoning"
    );
    let tools = Request { needs: Abilities::TOOLS, ..request() };
    assert_eq!(refused(run(&gateway, &tools)), "no model of this route can serve the whole chat request");
    let too_long = run(&Gateway::new().user("Why?").whole(0), &request());
    assert_eq!(refused(too_long), "the request is too long for every model of this route");
}

#[test]
fn a_budget_has_to_pay_all_stages() {
    let gateway = Gateway::new().user("Why?");
    // Three calls of 356 tokens at $20 or $50 per million.
    let with = |left| run(&gateway, &Request { budget_left: Some(left), ..request() });
    assert_eq!(with(0.054).unwrap().calls[0].model, "fleet/llama-70b");
    assert_eq!(with(0.05).unwrap().calls[0].model, "fleet/mistral-7b");
    assert!(matches!(with(0.02), Err(Refusal::Denied(_))));
}

#[test]
fn what_is_no_chat_is_routed() {
    let embedding = Request { operation: "embedding".to_owned(), ..request() };
    let done = run(&Gateway::new().user("Why?"), &embedding).unwrap();
    assert!(matches!(done.ending, Ending::Routed(_)));
    assert_eq!(done.label, "sequential:routed");
    assert_eq!(
        refused(run(&Gateway::new().whole(0), &embedding)),
        "no model of this route can serve the whole embedding request"
    );
}
