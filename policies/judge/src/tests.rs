use pointsman_sdk::testkit::{Call, Ending, Gateway, Orchestrated, candidate, request};
use pointsman_sdk::{Abilities, Modalities, TaskStatus};

use super::*;

fn models() -> Vec<Candidate> {
    [("a/small", 0.1, 0.5), ("b/medium", 1.0, 0.6), ("c/large", 5.0, 0.9)]
        .map(|(id, price, quality)| Candidate { quality: Some(quality), ..candidate(id, price, price) })
        .into()
}

fn run(gateway: &Gateway, reply: Result<&str, &str>) -> Orchestrated {
    let model = |_: &Call| reply.map(str::to_owned).map_err(str::to_owned);
    gateway.orchestrate::<Judge>(&request(), &models(), model).unwrap()
}

/// Returns the label, and the order of the models.
fn routed(done: &Orchestrated) -> (&str, Vec<u32>) {
    let Ending::Routed(decision) = &done.ending else { unreachable!("{done:?}") };
    (&decision.label, decision.targets.iter().map(|target| target.candidate).collect())
}

#[test]
fn the_reply_determines_the_model() {
    let gateway = Gateway::new().user("What is the capital of Peru?");
    let done = run(&gateway, Ok("Easy."));
    assert_eq!(routed(&done), ("judge:easy", vec![0, 1, 2]));
    assert_eq!(done.reason.as_deref(), Some("judged easy"));
    assert_eq!(routed(&run(&gateway, Ok("hard"))), ("judge:hard", vec![2, 1, 0]));
}

#[test]
fn the_judge_is_the_cheapest_model_and_sees_the_newest_message_only() {
    let gateway = Gateway::new().message("system", "Be brief.").user("Secret.").message("assistant", "Yes.");
    let done = run(&gateway.user("Prove it."), Ok("hard"));
    let [call] = &done.calls[..] else { unreachable!("{done:?}") };
    assert_eq!((call.model.as_str(), call.task.timeout_ms), ("a/small", Some(800)));
    let [(system, instruction), (user, text)] = &call.messages[..] else { unreachable!("{call:?}") };
    assert_eq!((system.as_str(), user.as_str(), text.as_str()), ("system", "user", "Prove it."));
    assert!(instruction.contains("- easy: small talk") && instruction.contains("- hard: programming"));
    assert!(call.task.optional);
}

#[test]
fn a_judge_that_is_down_or_unclear_leaves_the_best_model() {
    let gateway = Gateway::new().user("hi");
    for (reply, label) in [
        (Err("down"), "judge:unanswered"),
        (Ok(""), "judge:unanswered"),
        (Ok("It could be easy or hard"), "judge:unclear"),
        (Ok("The capital of Peru is Lima."), "judge:unclear"),
    ] {
        assert_eq!(routed(&run(&gateway, reply)), (label, vec![2, 1, 0]), "{reply:?}");
    }
    let gateway = gateway.settings(r#"{"otherwise":"easy"}"#);
    assert_eq!(routed(&run(&gateway, Err("down"))), ("judge:unanswered", vec![0, 1, 2]));
}

#[test]
fn the_second_cheapest_judges_where_the_cheapest_is_down() {
    let model = |call: &Call| match call.model.as_str() {
        "a/small" => Err("down".to_owned()),
        _ => Ok("easy".to_owned()),
    };
    let gateway = Gateway::new().user("hi");
    let done = gateway.orchestrate::<Judge>(&request(), &models(), model).unwrap();
    assert_eq!(routed(&done), ("judge:easy", vec![0, 1, 2]));
    assert_eq!(
        done.calls.iter().map(|call| call.model.as_str()).collect::<Vec<_>>(),
        ["a/small", "b/medium"]
    );
}

#[test]
fn nobody_is_asked_where_that_is_no_use() {
    let asked = |gateway: &Gateway, request: &Request, models: &[Candidate]| {
        let done = gateway.orchestrate::<Judge>(request, models, |_| unreachable!()).unwrap();
        assert_eq!((done.label.as_str(), done.calls.len()), ("judge:skipped", 0));
    };
    let gateway = Gateway::new().user("hi");
    asked(&gateway, &request(), &models()[..1]);
    asked(&gateway.clone().settings(r#"{"model":"z/*"}"#), &request(), &models());
    asked(&gateway.clone().settings(r#"{"max_bytes":1}"#), &request(), &models());
    let picture = Request { inputs: Modalities::IMAGE, ..request() };
    let seeing: Vec<Candidate> =
        models().into_iter().map(|it| Candidate { inputs: Modalities::all(), ..it }).collect();
    asked(&Gateway::new().picture(), &picture, &seeing);
    let tools = Request { needs: Abilities::TOOLS, ..request() };
    let able: Vec<Candidate> =
        models().into_iter().map(|it| Candidate { abilities: Abilities::TOOLS, ..it }).collect();
    asked(&gateway, &tools, &able);
    let gateway = gateway.settings(r#"{"with_tools":true}"#);
    let done = gateway.orchestrate::<Judge>(&tools, &able, |_| Ok("easy".to_owned())).unwrap();
    assert_eq!(routed(&done).0, "judge:easy");
}

#[test]
fn kinds_and_their_models_are_set() {
    let settings = r#"{"model":"large","timeout_ms":300,"kinds":{
        "greeting":{"meaning":"hello and goodbye","models":["medium"],"prefer":"cost"},
        "other":{"meaning":"anything else","prefer":"speed"}}}"#;
    let gateway = Gateway::new().settings(settings).user("hello");
    let done = run(&gateway, Ok("greeting"));
    assert_eq!(routed(&done), ("judge:greeting", vec![1, 0, 2]));
    assert_eq!((done.calls[0].model.as_str(), done.calls[0].task.timeout_ms), ("c/large", Some(300)));
}

#[test]
fn no_prompt_is_read_and_a_short_deadline_is_shared() {
    let gateway = Gateway::new().user("hi");
    let short = Request { deadline_ms: Some(1_000), ..request() };
    let done = gateway.orchestrate::<Judge>(&short, &models(), |_| Ok("easy".to_owned())).unwrap();
    assert_eq!(done.calls[0].task.timeout_ms, Some(250));
    assert!(!gateway.prompt_was_read() && gateway.outputs_were_read());
}

#[test]
fn without_a_model_for_the_whole_request_or_a_budget_for_any_it_is_refused() {
    let none = Gateway::new().whole(0).orchestrate::<Judge>(&request(), &models(), |_| unreachable!());
    assert!(matches!(none, Err(Refusal::NoCandidate(_))), "{none:?}");
    let poor = Request { budget_left: Some(1e-9), ..request() };
    let none = Gateway::new().user("hi").orchestrate::<Judge>(&poor, &models(), |_| unreachable!());
    assert!(matches!(none, Err(Refusal::Denied(_))), "{none:?}");
}

#[test]
fn invalid_settings_are_reported_by_name() {
    let error = |json: &str| Gateway::new().settings(json).validate_orchestrator::<Judge>().unwrap_err();
    assert_eq!(error(r#"{"timeout_ms":0}"#), "setting `timeout_ms`: 0 is less than 1");
    assert_eq!(error(r#"{"max_bytes":0}"#), "setting `max_bytes`: 0 is less than 1");
    assert_eq!(error(r#"{"otherwise":"odd"}"#), "setting `otherwise`: there is no kind `odd`");
    assert!(error(r#"{"kinds":{"a":{"meaning":"x"}}}"#).starts_with("setting `kinds`: 1 kinds"));
    let empty = r#"{"kinds":{"a":{"meaning":"x"},"b":{"meaning":" "}}}"#;
    assert_eq!(error(empty), "setting `kinds.b.meaning`: it has 1 to 1000 bytes");
    let reserved = r#"{"kinds":{"a":{"meaning":"x"},"unclear":{"meaning":"y"}}}"#;
    assert!(error(reserved).starts_with("setting `kinds.unclear`"));
    assert!(error(r#"{"kinds":{"a":{}}}"#).contains("missing field `meaning`"));
    assert!(error(r#"{"models":"x"}"#).contains("unknown field `models`"));
}

#[test]
fn a_result_that_is_not_there_counts_as_no_reply() {
    let mut policy = Judge::new(Settings::default()).unwrap();
    let failed = TaskResult {
        task: 0,
        name: TASK.to_owned(),
        status: TaskStatus::Failed,
        candidate: None,
        finish_reason: None,
        output_bytes: 0,
        input_tokens: 0,
        output_tokens: 0,
        cost: 0.0,
        latency_ms: 0.0,
        error: Some("down".to_owned()),
    };
    for results in [&[][..], &[failed][..]] {
        let resume = || policy.resume(&request(), &models(), b"null", results);
        let Ok(Step::Route(decision)) = Gateway::new().whole(3).run(resume) else { unreachable!() };
        assert_eq!(decision.label, "judge:unanswered");
    }
}
