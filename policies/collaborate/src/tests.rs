use pointsman_sdk::testkit::{Call, Ending, Gateway, Orchestrated, candidate, request};

use super::*;

fn models() -> [Candidate; 4] {
    let model = |id, quality| Candidate { quality: Some(quality), ..candidate(id, 1.0, 1.0) };
    [model("a/best", 0.9), model("a/good", 0.8), model("b/fair", 0.7), model("c/poor", 0.5)]
}

fn gateway(settings: &str) -> Gateway {
    Gateway::new().settings(settings).user("Which river is the longest?")
}

fn run(
    gateway: &Gateway,
    request: &Request,
    model: impl FnMut(&Call) -> Result<String, String>,
) -> Orchestrated {
    gateway.orchestrate::<Collaborate>(request, &models(), model).unwrap()
}

/// Each call is answered in words of its own: `a/best says 0`.
fn differing(call: &Call) -> Result<String, String> {
    Ok(format!("{} says {}", call.model, call.number))
}

fn called(done: &Orchestrated) -> Vec<(&str, &str)> {
    done.calls.iter().map(|call| (call.model.as_str(), call.task.name.as_str())).collect()
}

#[test]
fn different_models_answer_see_each_other_and_the_best_writes_the_answer() {
    let done = run(&gateway("{}"), &request(), differing);
    assert_eq!((done.answer(), done.label.as_str()), ("a/best says 6", "collaborate:aggregated"));
    assert_eq!(
        called(&done),
        [
            ("a/best", "agent-1:round-1"),
            ("b/fair", "agent-2:round-1"),
            ("c/poor", "agent-3:round-1"),
            ("a/best", "agent-1:round-2"),
            ("b/fair", "agent-2:round-2"),
            ("c/poor", "agent-3:round-2"),
            ("a/best", "aggregate"),
        ]
    );
    let question = ("user".to_owned(), "Which river is the longest?".to_owned());
    assert_eq!(done.calls[0].messages, std::slice::from_ref(&question));
    let second = &done.calls[4].messages;
    assert_eq!((&second[0], second[1].1.as_str()), (&question, "b/fair says 1"));
    assert!(second[2].1.contains("a/best says 0") && second[2].1.contains("c/poor says 2"));
    assert!(!second[2].1.contains("b/fair"), "its own answer stands before");
    let last = &done.calls[6].messages;
    assert!(last[0].1.contains("answer 3\nc/poor says 5\n======"), "{last:?}");
    assert_eq!((last[0].0.as_str(), &last[1]), ("system", &question));
    assert_eq!(done.reason.as_deref(), Some("made of 3 answers"));
}

#[test]
fn one_round_is_without_an_exchange() {
    let done = run(&gateway(r#"{"rounds":1,"agents":2}"#), &request(), differing);
    assert_eq!(
        called(&done).iter().map(|(_, task)| *task).collect::<Vec<_>>(),
        ["agent-1:round-1", "agent-2:round-1", "aggregate"]
    );
}

#[test]
fn answers_that_agree_end_it_and_the_best_models_words_are_given() {
    let gateway = gateway("{}");
    let said = |call: &Call| Ok(if call.model == "b/fair" { "the nile" } else { "The Nile." }.to_owned());
    let done = run(&gateway, &request(), said);
    assert_eq!(
        (done.answer(), done.label.as_str(), done.calls.len()),
        ("The Nile.", "collaborate:agreed", 3)
    );
    assert_eq!(done.reason.as_deref(), Some("3 answers of round 1 are alike at 1.00"));

    let persuaded = |call: &Call| Ok(if call.number < 3 { call.model.clone() } else { "Nile".to_owned() });
    let done = run(&gateway, &request(), persuaded);
    assert_eq!((done.label.as_str(), done.calls.len()), ("collaborate:agreed", 6));
}

#[test]
fn the_agreement_is_set_and_0_never_reads_an_answer() {
    let half = |call: &Call| Ok(format!("the river is {}", &call.model[2..]));
    let done = run(&gateway(r#"{"agreement":0.5}"#), &request(), half);
    assert_eq!(done.label, "collaborate:agreed");
    let never = gateway(r#"{"agreement":0,"rounds":1}"#);
    let done = run(&never, &request(), |_| Ok("Nile".to_owned()));
    assert_eq!((done.label.as_str(), never.outputs_were_read()), ("collaborate:aggregated", false));
}

#[test]
fn answers_too_long_to_be_compared_do_not_agree() {
    let done = run(&gateway(r#"{"rounds":1}"#), &request(), |_| Ok("Nile ".repeat(10_000)));
    assert_eq!(done.label, "collaborate:aggregated");
}

#[test]
fn agents_and_the_aggregator_are_named_by_patterns() {
    let done = run(
        &gateway(r#"{"agents":["poor","a/*","a/*"],"aggregator":"f*r","rounds":1}"#),
        &request(),
        differing,
    );
    let models: Vec<&str> = called(&done).iter().map(|(model, _)| *model).collect();
    assert_eq!(models, ["c/poor", "a/best", "a/good", "b/fair"]);
    let done = run(&gateway(r#"{"agents":["poor","gone"]}"#), &request(), differing);
    assert_eq!(done.label, "collaborate:alone", "a model that is not there is not replaced");
}

#[test]
fn roles_are_given_to_the_first_agents_in_every_round() {
    let done = run(&gateway(r#"{"roles":["You doubt.","You count."],"agreement":0}"#), &request(), differing);
    let roles: Vec<Option<&str>> = done.calls[..6]
        .iter()
        .map(|call| {
            call.messages.first().filter(|message| message.0 == "system").map(|message| message.1.as_str())
        })
        .collect();
    let (doubt, count) = (Some("You doubt."), Some("You count."));
    assert_eq!(roles, [doubt, count, None, doubt, count, None]);
}

#[test]
fn an_agent_that_failed_is_left_out_and_one_that_fails_later_keeps_its_answer() {
    let done = run(&gateway("{}"), &request(), |call| match (call.model.as_str(), call.number) {
        ("c/poor", _) | ("b/fair", 4) => Err("down".to_owned()),
        ("a/best", 0) => Ok("one".to_owned()),
        _ => differing(call),
    });
    assert_eq!(
        done.names(),
        [
            "agent-1:round-1",
            "agent-2:round-1",
            "agent-3:round-1",
            "agent-1:round-2",
            "agent-2:round-2",
            "aggregate"
        ]
    );
    let shown = &done.calls[5].messages[0].1;
    assert!(shown.contains("a/best says 3") && shown.contains("b/fair says 1"), "{shown}");
}

#[test]
fn a_single_answer_is_given_as_it_is() {
    let done = run(&gateway("{}"), &request(), |call| match call.model.as_str() {
        "b/fair" => Ok("the Nile".to_owned()),
        "c/poor" => Ok(String::new()),
        _ => Err("down".to_owned()),
    });
    assert_eq!((done.answer(), done.label.as_str()), ("the Nile", "collaborate:one-answer"));
    assert_eq!(done.reason.as_deref(), Some("only 1 of 3 models gave an answer"), "an empty answer is none");
}

#[test]
fn without_any_answer_it_is_refused() {
    let answer = gateway("{}").orchestrate::<Collaborate>(&request(), &models(), |_| Err("down".to_owned()));
    let message = "none of the 3 models that were asked gave an answer".to_owned();
    assert_eq!(answer, Err(Refusal::NoCandidate(message)));
}

#[test]
fn a_dead_aggregator_is_replaced_by_the_next_best() {
    let done = run(&gateway("{}"), &request(), |call| match (call.task.name.as_str(), call.model.as_str()) {
        ("aggregate", "a/best") => Err("down".to_owned()),
        _ => differing(call),
    });
    assert_eq!((done.answer(), done.label.as_str()), ("a/good says 6", "collaborate:aggregated"));
}

#[test]
fn an_answer_in_a_schema_is_always_written_by_the_aggregator() {
    let needs = Abilities::STRUCTURED_OUTPUT;
    let able = models().map(|model| Candidate { abilities: needs, ..model });
    let request = Request { needs, ..request() };
    let same = |call: &Call| Ok(call.task.name.clone());
    let mut dead = 0;
    let done = gateway("{}").orchestrate::<Collaborate>(&request, &able, |_| Ok("{}".to_owned())).unwrap();
    assert_eq!(done.label, "collaborate:aggregated");
    let done = gateway("{}").orchestrate::<Collaborate>(&request, &able, |call| {
        dead += 1;
        if dead < 3 { Err("down".to_owned()) } else { same(call) }
    });
    assert_eq!(done.unwrap().answer(), "aggregate", "even when there is one answer only");
}

#[test]
fn tools_a_single_model_and_a_small_budget_are_routed_to_the_best() {
    let needs = Abilities::TOOLS;
    let tools = Request { needs, ..request() };
    let able = models().map(|model| Candidate { abilities: needs, ..model });
    let done = gateway("{}").orchestrate::<Collaborate>(&tools, &able, |_| unreachable!()).unwrap();
    let decision = |order: &[usize], done: &Orchestrated, label: &str| {
        Ending::Routed(Decision::of(order.iter().copied(), label).because(done.reason.as_deref().unwrap()))
    };
    assert_eq!(done.ending, decision(&[0, 1, 2, 3], &done, "collaborate:tools"));

    let done =
        gateway("{}").orchestrate::<Collaborate>(&request(), &models()[1..2], |_| unreachable!()).unwrap();
    assert_eq!(done.ending, decision(&[0], &done, "collaborate:alone"));

    let thrifty = Request { budget_left: Some(0.002), ..request() };
    assert_eq!(run(&gateway("{}"), &thrifty, |_| unreachable!()).label, "collaborate:budget");
    assert_eq!(run(&gateway(r#"{"rounds":1}"#), &thrifty, differing).label, "collaborate:aggregated");
}

#[test]
fn time_and_tokens_are_shared() {
    let request = Request { deadline_ms: Some(9_000), max_output_tokens: Some(50_000), ..request() };
    let done = run(&gateway("{}"), &request, differing);
    let task = |at: usize| (done.calls[at].task.timeout_ms, done.calls[at].task.max_output_tokens);
    assert_eq!((task(0), task(3)), ((Some(3_000), Some(20_000)), (Some(4_500), Some(20_000))));
    assert_eq!(task(6), (None, None), "the answer has all that is left, and the client's limit");
}

#[test]
fn without_a_model_for_the_whole_request_or_a_budget_for_any_it_is_refused() {
    let none = gateway("{}").whole(0).orchestrate::<Collaborate>(&request(), &models(), |_| unreachable!());
    assert!(matches!(none, Err(Refusal::NoCandidate(_))), "{none:?}");
    let poor = Request { budget_left: Some(1e-9), ..request() };
    let none = gateway("{}").orchestrate::<Collaborate>(&poor, &models(), |_| unreachable!());
    assert!(matches!(none, Err(Refusal::Denied(_))), "{none:?}");
}

#[test]
fn the_prompt_is_never_read() {
    let gateway = gateway("{}");
    run(&gateway, &request(), differing);
    assert!(gateway.outputs_were_read() && !gateway.prompt_was_read());
}

#[test]
fn invalid_settings_are_reported_by_name() {
    let error =
        |json: &str| Gateway::new().settings(json).validate_orchestrator::<Collaborate>().unwrap_err();
    assert_eq!(error(r#"{"agents":1}"#), "setting `agents`: 1 are not 2 to 8");
    assert_eq!(error(r#"{"agents":["*"]}"#), "setting `agents`: 1 are not 2 to 8");
    assert!(error(r#"{"agents":["*",""]}"#).starts_with("setting `agents`: a pattern is empty"));
    assert!(
        error(r#"{"agents":"all"}"#)
            .contains("expected a number of models from 2 to 8, or a list of patterns")
    );
    assert_eq!(error(r#"{"rounds":0}"#), "setting `rounds`: 0 is not in 1..5");
    assert_eq!(error(r#"{"agreement":1.5}"#), "setting `agreement`: 1.5 is not in 0..1");
    assert_eq!(
        error(r#"{"aggregator":""}"#),
        "setting `aggregator`: it is empty; leave it out, or name a model"
    );
    assert_eq!(error(r#"{"agents":2,"roles":["a","b","c"]}"#), "setting `roles`: there are 3 for 2 agents");
    assert!(error(r#"{"roles":[" "]}"#).starts_with("setting `roles`: one has 1 bytes"));
    assert!(
        error(&format!(r#"{{"roles":["{}"]}}"#, "x".repeat(2_001)))
            .starts_with("setting `roles`: one has 2001")
    );
    assert!(error(r#"{"agent":2}"#).contains("expected one of `agents`, `rounds`"));
}

#[test]
fn a_state_that_is_not_its_own_is_refused() {
    let mut policy = Collaborate::new(Settings::default()).unwrap();
    let answer = policy.resume(&request(), &models(), b"{}", &[]);
    assert!(matches!(answer, Err(Refusal::Internal(_))), "{answer:?}");
    let state = br#"{"round":1,"agents":[{"candidate":0,"place":0,"answer":null}]}"#;
    let answer = policy.resume(&request(), &models(), state, &[]);
    assert!(matches!(answer, Err(Refusal::NoCandidate(_))), "{answer:?}");
}

#[test]
fn what_is_no_chat_is_routed() {
    let embedding = Request { operation: "embedding".to_owned(), ..request() };
    let done = gateway("{}").orchestrate::<Collaborate>(&embedding, &models(), |_| unreachable!()).unwrap();
    assert!(matches!(done.ending, Ending::Routed(_)));
    assert_eq!(done.label, "collaborate:routed");
}
