use pointsman_sdk::testkit::{Call, Ending, Gateway, Orchestrated, candidate, request};

use super::*;

const LIST: &str = "Answer each of these in a word:\n1. Who wrote Faust?\n2. Where is the Eiffel tower?\n3. What is H₂O?\n\nIn French.";

const PLAN: &str = r#"{"tasks":["Describe the sea.","Describe the sky."]}"#;

fn models() -> [Candidate; 3] {
    let model = |id, quality| Candidate { quality: Some(quality), ..candidate(id, 1.0, 1.0) };
    [model("a/poor", 0.3), model("b/best", 0.9), model("c/fair", 0.6)]
}

fn long_text() -> String {
    let paragraph = "The sea was calm that day. Nobody on board spoke a word. Größer war nur der Himmel.";
    format!("Summarise this:\n\n{}", vec![paragraph; 20].join("\n\n"))
}

fn run(gateway: &Gateway, model: impl FnMut(&Call) -> Result<String, String>) -> Orchestrated {
    gateway.orchestrate::<Parallel>(&request(), &models(), model).unwrap()
}

/// Each call is answered in words of its own: `<part 0>`.
fn numbered(call: &Call) -> Result<String, String> {
    Ok(format!("<{} {}>", call.task.name, call.number))
}

fn asked(done: &Orchestrated, at: usize) -> &str {
    &done.calls[at].messages.last().unwrap().1
}

fn reason(done: &Orchestrated) -> &str {
    done.reason.as_deref().unwrap()
}

#[test]
fn items_of_a_list_are_answered_at_once_and_joined_under_headings() {
    let gateway = Gateway::new().message("system", "Be polite.").user(LIST);
    let done = run(&gateway, numbered);
    assert_eq!((done.label.as_str(), done.names()), ("parallel:list", vec!["part"; 3]));
    assert_eq!(
        done.answer(),
        "**1. Who wrote Faust?**\n\n<part 0>\n\n**2. Where is the Eiffel tower?**\n\n<part 1>\n\n**3. What is H₂O?**\n\n<part 2>"
    );
    assert_eq!(done.calls[2].messages[0], ("system".to_owned(), "Be polite.".to_owned()));
    assert_eq!(asked(&done, 2), "Answer each of these in a word:\n\nWhat is H₂O?\n\nIn French.");
    assert!(done.calls.iter().all(|call| call.task.after.is_empty() && call.model == "b/best"));
    assert_eq!(reason(&done), "3 of 3 parts were answered");
    assert!(gateway.prompt_was_read() && !gateway.outputs_were_read());
}

#[test]
fn earlier_turns_go_with_each_part() {
    let gateway = Gateway::new().user("We speak of France.").message("assistant", "Good.").user(LIST);
    let done = run(&gateway, numbered);
    let said: Vec<_> =
        done.calls[1].messages.iter().map(|(role, text)| (role.as_str(), text.as_str())).collect();
    assert_eq!(said[..2], [("user", "We speak of France."), ("assistant", "Good.")]);
}

#[test]
fn questions_are_answered_with_the_text_they_stand_in() {
    let text = "I have a dog. May it eat grapes? May it eat onions? How much should it walk?";
    let done = run(&Gateway::new().user(text), numbered);
    assert_eq!((done.label.as_str(), done.calls.len()), ("parallel:questions", 3));
    assert!(asked(&done, 1).starts_with(text) && asked(&done, 1).ends_with(":\nMay it eat onions?"));
    assert!(done.answer().starts_with("**1. May it eat grapes?**\n\n<part 0>"));
}

#[test]
fn chunks_of_a_document_are_worked_on_and_a_model_writes_the_answer() {
    let gateway =
        Gateway::new().settings(r#"{"chunk_bytes":600}"#).message("system", "Be polite.").user(&long_text());
    let done = run(&gateway, numbered);
    assert_eq!((done.label.as_str(), done.answer()), ("parallel:document", "<combine 3>"));
    assert_eq!(done.names(), ["part", "part", "part", "combine"]);
    assert!(asked(&done, 1).starts_with("Summarise this:\n\nThe sea"));
    assert!(
        asked(&done, 3).starts_with("Summarise this:\n\n")
            && asked(&done, 3).contains("part 3\n<part 2>\n======")
    );
    assert!(!asked(&done, 3).contains("The sea"), "the text itself is not sent again");
    assert_eq!(done.calls[3].messages[0].0, "system");
    assert!(!gateway.outputs_were_read());
}

#[test]
fn how_it_is_combined_is_set() {
    let done = run(&Gateway::new().settings(r#"{"combine":"model"}"#).user(LIST), numbered);
    assert_eq!(done.answer(), "<combine 3>");
    let [(system, notes), (user, text)] = &done.calls[3].messages[..] else { panic!() };
    assert_eq!((system.as_str(), user.as_str(), text.as_str()), ("system", "user", LIST));
    assert!(notes.contains("part 2\n<part 1>"), "{notes}");

    let joined = Gateway::new().settings(r#"{"combine":"join","chunk_bytes":600}"#).user(&long_text());
    assert_eq!(run(&joined, numbered).answer(), "<part 0>\n\n<part 1>\n\n<part 2>", "a text has no headings");
}

#[test]
fn parts_are_bounded_above_and_below() {
    let done = run(&Gateway::new().settings(r#"{"max_parts":2}"#).user(LIST), numbered);
    assert_eq!(done.answer(), "**1. Who wrote Faust?**\n\n<part 0>\n\n**2–3.**\n\n<part 1>");
    let done = run(&Gateway::new().settings(r#"{"min_parts":4}"#).user(LIST), numbered);
    assert_eq!(done.label, "parallel:single");
}

#[test]
fn without_parts_the_best_model_answers() {
    let routed = |gateway: Gateway| run(&gateway, |_| unreachable!());
    let done = routed(Gateway::new().user("Hello!"));
    assert_eq!(
        done.ending,
        Ending::Routed(Decision::of([1, 2, 0], "parallel:single").because(reason(&done)))
    );
    let long = "x".repeat(5_000);
    assert_eq!(
        routed(Gateway::new().settings(r#"{"planner":"never"}"#).user(&long)).label,
        "parallel:single"
    );
    assert_eq!(
        routed(Gateway::new().settings(r#"{"planner_bytes":5001}"#).user(&long)).label,
        "parallel:single"
    );
    assert_eq!(routed(Gateway::new().user(LIST).message("assistant", "Well,")).label, "parallel:single");
}

#[test]
fn a_planner_is_asked_where_no_rule_applies() {
    let gateway = Gateway::new().user(&"Tell me about sea and sky. ".repeat(60));
    let model = |call: &Call| if call.task.name == "plan" { Ok(PLAN.to_owned()) } else { numbered(call) };
    let done = run(&gateway, model);
    assert_eq!((done.label.as_str(), done.answer()), ("parallel:planned", "<combine 3>"));
    assert_eq!(done.names(), ["plan", "part", "part", "combine"]);
    assert!(
        asked(&done, 0).contains("with 2 to 8 tasks") && asked(&done, 2).ends_with(":\nDescribe the sky.")
    );
    assert!(done.calls[3].messages[0].1.contains("part 2: Describe the sky.\n<part 2>"));
    assert!(gateway.outputs_were_read());

    let joined = Gateway::new().settings(r#"{"planner":"always","combine":"join"}"#).user("Sea and sky.");
    let done = run(&joined, model);
    assert_eq!(done.answer(), "**1. Describe the sea.**\n\n<part 1>\n\n**2. Describe the sky.**\n\n<part 2>");
}

#[test]
fn a_planner_that_fails_or_talks_nonsense_leads_to_one_answer() {
    let gateway = Gateway::new().settings(r#"{"planner":"always","max_parts":2}"#).user("Sea and sky.");
    let label = |reply: Result<&str, &str>| {
        let reply = reply.map(str::to_owned).map_err(str::to_owned);
        let done = run(&gateway, |_| reply.clone());
        assert!(matches!(done.ending, Ending::Routed(_)));
        (done.label.clone(), reason(&done).to_owned())
    };
    let unplanned = |why: &str| ("parallel:unplanned".to_owned(), why.to_owned());
    assert_eq!(label(Err("down")), unplanned("the planner failed"));
    assert_eq!(
        label(Ok("")),
        unplanned("the planner is of no use: its reply is not the JSON that was asked for")
    );
    assert_eq!(label(Ok("{\"tasks\":[\"a\",\"\"]}")).0, "parallel:unplanned");
    assert_eq!(
        label(Ok("{\"tasks\":[\"a\",\"b\",\"c\"]}")).1,
        "the planner is of no use: it proposed too many tasks"
    );
    assert_eq!(label(Ok(&"x".repeat(20_000))).1, "the planner is of no use: its reply is too long");
    for none in ["{\"tasks\":[]}", "{\"tasks\":[\"all\"]}"] {
        assert_eq!(label(Ok(none)).0, "parallel:single");
    }
}

#[test]
fn a_part_that_fails_is_marked_and_if_all_fail_it_is_refused() {
    let second_fails = |call: &Call| match (call.number, call.task.name.as_str()) {
        (1, "part") => Err("down".to_owned()),
        (2, "part") => Ok(String::new()),
        _ => numbered(call),
    };
    let done = run(&Gateway::new().user(LIST), second_fails);
    let failed = "*This part could not be answered.*";
    assert!(done.answer().contains(&format!("tower?**\n\n{failed}\n\n")) && done.answer().ends_with(failed));
    assert_eq!(reason(&done), "1 of 3 parts were answered");
    assert_eq!(done.calls.iter().filter(|call| call.number == 1).count(), 3, "every model is tried");

    let done = run(&Gateway::new().settings(r#"{"combine":"model"}"#).user(LIST), second_fails);
    assert!(done.calls.last().unwrap().messages[0].1.contains("part 2\n(this part is missing: say so)"));

    let all_down =
        Gateway::new().user(LIST).orchestrate::<Parallel>(&request(), &models(), |_| Err("down".to_owned()));
    let message = "none of the 3 parts of the request was answered".to_owned();
    assert_eq!(all_down, Err(Refusal::NoCandidate(message)));
}

#[test]
fn tools_schemas_and_media_are_not_split() {
    let label = |needs: Abilities| {
        let models = models().map(|model| Candidate { abilities: needs, ..model });
        let request = Request { needs, ..request() };
        let done = Gateway::new().user(LIST).orchestrate::<Parallel>(&request, &models, |_| unreachable!());
        done.unwrap().label
    };
    assert_eq!(label(Abilities::TOOLS), "parallel:tools");
    assert_eq!(label(Abilities::STRUCTURED_OUTPUT), "parallel:format");
    assert_eq!(label(Abilities::LOG_PROBABILITIES), "parallel:format");
    assert_eq!(run(&Gateway::new().user(LIST).picture(), |_| unreachable!()).label, "parallel:single");
}

#[test]
fn a_document_that_no_model_can_read_whole_is_read_in_parts() {
    let gateway = Gateway::new().settings(r#"{"chunk_bytes":600}"#).user(&long_text()).whole(0);
    let mut models = models();
    models[1].context_window = Some(2_100);
    models[2].abilities = Abilities::REASONING;
    let request = Request { needs: Abilities::REASONING, ..request() };
    let done = gateway.orchestrate::<Parallel>(&request, &models, numbered).unwrap();
    assert_eq!((done.label.as_str(), done.answer()), ("parallel:document", "<combine 3>"));
    assert_eq!(done.calls.iter().map(|call| call.model.as_str()).collect::<Vec<_>>(), ["c/fair"; 4]);

    let small = models.map(|model| Candidate { context_window: Some(1_000), ..model });
    let none = gateway.orchestrate::<Parallel>(&request, &small, |_| unreachable!());
    assert!(matches!(none, Err(Refusal::NoCandidate(_))), "{none:?}");
}

#[test]
fn a_document_is_not_read_by_models_that_lack_what_the_request_needs() {
    let gateway = Gateway::new().settings(r#"{"chunk_bytes":600}"#).user(&long_text());
    let request = Request { needs: Abilities::REASONING, ..request() };
    let none = gateway.orchestrate::<Parallel>(&request, &models(), |_| unreachable!());
    assert!(matches!(none, Err(Refusal::NoCandidate(_))), "{none:?}");
}

#[test]
fn a_text_longer_than_may_be_read_is_split_only_if_little_is_left() {
    let long = "Summarise this:\n\n".to_owned() + &"The sea was calm that day. ".repeat(2_800);
    let done = run(&Gateway::new().user(&long), numbered);
    assert_eq!((done.label.as_str(), done.calls.len()), ("parallel:document", 8));
    let sent: usize = (0..7).map(|at| asked(&done, at).matches("sea was").count()).sum();
    assert_eq!(sent, 2_800, "nothing is lost");
    let longer = "Summarise this:\n\n".to_owned() + &"The sea was calm that day. ".repeat(30_000);
    let done = run(&Gateway::new().settings(r#"{"planner":"never"}"#).user(&longer), |_| unreachable!());
    assert_eq!(done.label, "parallel:single");
}

#[test]
fn time_and_tokens_are_shared() {
    let limited = Request { deadline_ms: Some(10_000), max_output_tokens: Some(300), ..request() };
    let task = |settings: &str, at: usize| {
        let gateway = Gateway::new().settings(settings).user(LIST);
        let done = gateway.orchestrate::<Parallel>(&limited, &models(), numbered).unwrap();
        (done.calls[at].task.timeout_ms, done.calls[at].task.max_output_tokens)
    };
    assert_eq!(task("{}", 0), (Some(9_000), Some(100)));
    assert_eq!(task(r#"{"combine":"model"}"#, 0), (Some(6_000), None));
    assert_eq!(task(r#"{"combine":"model"}"#, 3), (None, None));
}

#[test]
fn a_budget_that_pays_one_answer_but_not_all_parts_routes_and_one_that_pays_none_denies() {
    let with = |budget| Request { budget_left: Some(budget), ..request() };
    let ends = |gateway: Gateway, budget| {
        let model = |call: &Call| if call.task.name == "plan" { Ok(PLAN.to_owned()) } else { numbered(call) };
        gateway.orchestrate::<Parallel>(&with(budget), &models(), model).map(|done| done.label)
    };
    assert_eq!(ends(Gateway::new().user(LIST), 0.0005).unwrap(), "parallel:budget");
    assert_eq!(ends(Gateway::new().user(LIST), 0.002).unwrap(), "parallel:list");
    let planned = || Gateway::new().settings(r#"{"planner":"always"}"#).user("Sea and sky.");
    assert_eq!(ends(planned(), 0.0005).unwrap(), "parallel:budget");
    let document = || Gateway::new().settings(r#"{"chunk_bytes":600}"#).user(&long_text());
    assert_eq!(ends(document(), 0.0005).unwrap(), "parallel:budget");
    assert!(matches!(ends(document(), 1e-9), Err(Refusal::Denied(_))));
}

#[test]
fn invalid_settings_are_reported_by_name() {
    let error = |json: &str| Gateway::new().settings(json).validate_orchestrator::<Parallel>().unwrap_err();
    assert_eq!(error(r#"{"max_parts":33}"#), "setting `max_parts`: 33 is not in 2..32");
    assert_eq!(error(r#"{"min_parts":1}"#), "setting `min_parts`: 1 is not in 2..32");
    assert_eq!(error(r#"{"chunk_bytes":10}"#), "setting `chunk_bytes`: 10 is less than 500");
    assert!(error(r#"{"planner":"maybe"}"#).starts_with("setting `planner`: unknown variant `maybe`"));
    assert!(error(r#"{"planner_bytes":-1}"#).starts_with("setting `planner_bytes`"));
    assert!(error(r#"{"combine":"mix"}"#).starts_with("setting `combine`: unknown variant `mix`"));
    assert!(error(r#"{"parts":3}"#).contains("expected one of `max_parts`, `min_parts`"));
}

#[test]
fn a_state_that_is_not_its_own_is_an_internal_failure() {
    let mut policy = Parallel::new(Settings::default()).unwrap();
    for state in [&b""[..], b"{}", b"\"Done\""] {
        let answer = policy.resume(&request(), &models(), state, &[]);
        assert!(matches!(answer, Err(Refusal::Internal(_))), "{answer:?}");
    }
}

#[test]
fn what_is_no_chat_is_routed() {
    let embedding = Request { operation: "embedding".to_owned(), ..request() };
    let gateway = Gateway::new().user(LIST);
    let done = gateway.orchestrate::<Parallel>(&embedding, &models(), |_| unreachable!()).unwrap();
    assert!(matches!(done.ending, Ending::Routed(_)));
    assert_eq!(done.label, "parallel:routed");
}
