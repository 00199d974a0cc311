use super::*;
use crate::prelude::*;
use crate::testkit::{Ending, Gateway, candidate, request};
use crate::{Abilities, Orchestrator, outline, outputs};

/// Describes pictures at once, looks at what came, and answers.
struct Describe;

impl Orchestrator for Describe {
    type Settings = NoSettings;

    fn new(_: NoSettings) -> Result<Self, String> {
        Ok(Self)
    }

    fn plan(&mut self, _: &Request, candidates: &[Candidate]) -> Result<Step, Refusal> {
        let parts = outline::parts();
        let pictures: Vec<_> = parts.iter().filter(|part| part.kind == Modalities::IMAGE).collect();
        if pictures.is_empty() {
            return Ok(Step::Route(Decision::of(0..outline::whole(), "plain")));
        }
        let eyes = able(candidates, "chat", Modalities::IMAGE);
        let mut plan = Plan::new();
        plan.fan_out(pictures, |picture| {
            Task::chat("describe", eyes.clone()).user([Part::text("What is in "), picture.into()]).optional()
        });
        Ok(plan.resume(&"described", "look").because("there are pictures"))
    }

    fn resume(
        &mut self,
        _: &Request,
        candidates: &[Candidate],
        bytes: &[u8],
        results: &[TaskResult],
    ) -> Result<Step, Refusal> {
        assert_eq!(state::<String>(bytes)?, "described");
        let seen = results.iter().filter(|result| result.status == TaskStatus::Done).count();
        if seen == 0 {
            return Ok(finish([Part::text("I see nothing.")], "blind"));
        }
        let mut plan = Plan::after(results);
        let notes = (0..results.len() as u32)
            .map(|task| Part::Output(OutputRef { task, otherwise: Some("?".to_owned()) }));
        let answer = Task::chat("answer", able(candidates, "chat", Modalities::TEXT))
            .system(notes)
            .conversation(Modalities::TEXT);
        let answer = plan.add(answer);
        Ok(plan.answer(answer, "look"))
    }
}

fn models() -> [Candidate; 3] {
    let both = Modalities::TEXT | Modalities::IMAGE;
    [
        Candidate { inputs: both, ..candidate("a/eye", 1.0, 1.0) },
        Candidate { inputs: both, healthy: false, ..candidate("a/sick", 1.0, 1.0) },
        candidate("b/tongue", 1.0, 1.0),
    ]
}

fn with_pictures() -> Request {
    Request { inputs: Modalities::TEXT | Modalities::IMAGE, ..request() }
}

#[test]
fn a_plan_is_run_step_by_step_and_its_outputs_go_where_they_are_used() {
    let gateway = Gateway::new().user("Which is larger?").picture().picture();
    let done = gateway.orchestrate::<Describe>(&with_pictures(), &models(), |call| {
        Ok(format!("<{} {}>", call.model, call.number))
    });
    let done = done.unwrap();
    assert_eq!((done.answer(), done.label.as_str(), done.steps), ("<a/eye 2>", "look", 2));
    assert_eq!(done.names(), ["describe", "describe", "answer"]);
    assert_eq!(done.calls[1].messages, [("user".to_owned(), "What is in [image 0.2]".to_owned())]);
    let said = |role: &str, text: &str| (role.to_owned(), text.to_owned());
    let expected = [said("system", "<a/eye 0><a/eye 1>"), said("user", "Which is larger?")];
    assert_eq!(done.calls[2].messages, expected);
    assert!(!gateway.outputs_were_read() && !gateway.prompt_was_read());
}

#[test]
fn a_failed_attempt_leads_to_the_next_target_and_a_failed_optional_task_to_a_result() {
    let gateway = Gateway::new().user("Which is larger?").picture().picture();
    let done = gateway.orchestrate::<Describe>(&with_pictures(), &models(), |call| match call.number {
        0 => Err("down".to_owned()),
        1 if call.model == "a/eye" => Err("down".to_owned()),
        _ => Ok(call.model.clone()),
    });
    let done = done.unwrap();
    assert_eq!(done.calls.iter().filter(|call| call.number == 0).count(), 2, "the sick one is tried last");
    assert_eq!(done.calls.last().unwrap().messages[0].1, "?a/sick");

    let all_down = |_: &_| Err("down".to_owned());
    let done = gateway.orchestrate::<Describe>(&with_pictures(), &models(), all_down).unwrap();
    assert_eq!((done.answer(), done.label.as_str()), ("I see nothing.", "blind"));
}

#[test]
fn without_pictures_the_request_is_routed_among_those_that_can_serve_it() {
    let gateway = Gateway::new().user("hi");
    let needs = Request { needs: Abilities::TOOLS, ..request() };
    let mut models = models();
    models[0].abilities = Abilities::TOOLS;
    let done = gateway.orchestrate::<Describe>(&needs, &models, |_| unreachable!()).unwrap();
    assert_eq!(done.ending, Ending::Routed(Decision::of([0], "plain")));
}

#[test]
fn a_task_waits_for_those_whose_output_it_uses_and_for_those_it_names() {
    let mut plan = Plan::new();
    let one = plan.add(Task::chat("one", [0]).user(["a".into()]));
    let two = plan.add(Task::chat("two", [0]).user(["b".into()]));
    let three = plan.add(Task::chat("three", [0]).user([one.into(), one.into()]).after(two).after(two));
    let Step::Run(plan) = plan.answer(three, "x") else { panic!("no plan") };
    assert_eq!(plan.tasks[2].after, [1, 0]);
}

#[test]
fn outputs_are_cut_at_a_character_and_their_reading_is_seen() {
    struct Reads;
    impl Orchestrator for Reads {
        type Settings = NoSettings;
        fn new(_: NoSettings) -> Result<Self, String> {
            Ok(Self)
        }
        fn plan(&mut self, _: &Request, _: &[Candidate]) -> Result<Step, Refusal> {
            let mut plan = Plan::new();
            plan.add(Task::chat("say", [0]).conversation(Modalities::TEXT));
            Ok(plan.resume(&(), "x"))
        }
        fn resume(
            &mut self,
            _: &Request,
            _: &[Candidate],
            _: &[u8],
            _: &[TaskResult],
        ) -> Result<Step, Refusal> {
            assert_eq!(outputs::text(1, 9), None);
            Ok(finish([outputs::text(0, 2).unwrap().into()], "x"))
        }
    }
    let gateway = Gateway::new().user("hi");
    let models = [candidate("a/a", 1.0, 1.0)];
    let done = gateway.orchestrate::<Reads>(&request(), &models, |_| Ok("aäb".to_owned())).unwrap();
    assert_eq!(done.answer(), "a");
    assert!(gateway.outputs_were_read());
}
