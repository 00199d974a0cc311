//! Orchestrating policies, and the errors for invalid plans. The match has no wildcard, so a blunder
//! without an expectation does not compile.

use std::sync::Arc;
use std::time::Duration;

use pointsman_domain::model::Modalities;
use pointsman_domain::money::Picodollars;
use pointsman_domain::plan::{ComposedPart, Continuation, MAX_STATE, Plan, PlanStep, TaskInput, TaskResult};
use pointsman_domain::usage::Usage;
use pointsman_guests::{Blunder, PLANNER, Planned, Shape, blundering, planned};
use pointsman_policy::{DecisionInput, Grants, Isolation, Orchestration, Policy, PolicyAnswer, PolicySpec};

use crate::support::{input, load, load_error, spec, spec_with};

fn granted(settings: &str) -> PolicySpec {
    PolicySpec { grants: Grants::OUTPUTS, ..spec_with(settings) }
}

fn planner(settings: &Planned) -> Policy {
    load(granted(&planned(settings)), PLANNER).unwrap()
}

fn plan(answer: PolicyAnswer) -> Plan {
    match answer {
        PolicyAnswer::Step(PlanStep::Run(plan)) => plan,
        other => panic!("not a plan: {other:?}"),
    }
}

pub fn result(name: &str, output: Option<&str>) -> TaskResult {
    TaskResult {
        name: name.into(),
        output: output.map(Arc::from),
        candidate: output.map(|_| 1),
        finish_reason: output.map(|_| "stop".to_owned()),
        usage: Usage::counted(7, 3),
        cost: Picodollars::from_usd(0.001),
        latency: Duration::from_millis(12),
        error: output.is_none().then(|| "status 500".to_owned()),
    }
}

pub fn after(results: Vec<TaskResult>) -> DecisionInput {
    let mut input = input(3);
    input.orchestration = Orchestration { results: results.into(), ..input.orchestration };
    input
}

/// Error of a blunder, in the first step or in the second.
enum Refused {
    AtOnce(&'static str),
    /// Refused before it is converted.
    TooLarge,
    WhenResumed(&'static str),
}

fn expected(blunder: Blunder) -> Refused {
    use Refused::{AtOnce, TooLarge, WhenResumed};
    match blunder {
        Blunder::NoTask => AtOnce("the plan has no task"),
        Blunder::Cycle => {
            AtOnce("task `chicken`: it waits for itself by way of others: chicken -> egg -> chicken")
        }
        Blunder::SelfDependency => AtOnce("task `loner`: it waits for itself"),
        Blunder::UnknownDependency => AtOnce("task `waiter`: it waits for task 7, which is not in this plan"),
        Blunder::RepeatedDependency => AtOnce("task `b`: it waits for task 0 twice"),
        Blunder::ManyDependencies => {
            AtOnce("the plan has 400000 dependencies of one task; at most 2 are allowed")
        }
        Blunder::ManyTargets => AtOnce("the plan has 100000 targets of one task; at most 3 are allowed"),
        Blunder::ManyOptions => AtOnce("the plan has 10000 options of one task; at most 16 are allowed"),
        Blunder::ManyInputs => AtOnce("the plan has 50001 inputs and parts; at most 8192 are allowed"),
        Blunder::ManyMessages => AtOnce("the plan has 10001 inputs and parts; at most 8192 are allowed"),
        Blunder::LongAnswer => AtOnce("the plan has 20002 inputs and parts; at most 8192 are allowed"),
        Blunder::UnknownCandidate => AtOnce("task `lost`: target 0 names candidate 3, but there are 3"),
        Blunder::TooManyTasks => {
            AtOnce("the plan has 500 tasks, which makes 500 for this request; at most 64 are allowed")
        }
        Blunder::TooDeep => {
            AtOnce("task `t16`: 17 tasks in a row wait for one another up to it; at most 16 are allowed")
        }
        Blunder::MissingAnswer => AtOnce("the answer uses the output of task 5, but there is none"),
        Blunder::NotAnAncestor => {
            AtOnce("task `early`: it uses the output of task 0, which it does not wait for")
        }
        Blunder::Idle => AtOnce("task `idle`: it does not lead to the answer"),
        Blunder::TokenCap => {
            AtOnce("the tasks may give 1073741824 output tokens together; at most 65536 are allowed")
        }
        Blunder::UnknownOperation => AtOnce(
            "task `painter`: there is no operation \"painting\"; there are chat, embedding, \
             transcription, translation, speech, image and moderation",
        ),
        Blunder::UnknownPart => {
            AtOnce("task `blind`: it uses part 0 of message 99 of the request, which is not there")
        }
        Blunder::UnknownOption => AtOnce("task `dear`: the option `n` is not allowed for chat"),
        Blunder::SmuggledOption => AtOnce("task `sly`: the option `temperature` is not a number from 0 to 2"),
        Blunder::ForgedName => AtOnce("task 0 has the name \"a\\r\\nx-injected: yes\", which is not 1 to 64"),
        Blunder::HugeState | Blunder::HugeText | Blunder::HordeOfTasks | Blunder::ManyParts => TooLarge,
        Blunder::CycleInResume => WhenResumed("task `chicken`: it waits for itself by way of others"),
        Blunder::TrapInResume => WhenResumed("the policy trapped"),
        Blunder::LoopInResume => WhenResumed("deadline"),
        // Each step is valid. The gateway limits the number of steps.
        Blunder::EndlessResume => WhenResumed(""),
    }
}

#[tokio::test]
async fn every_blunder_is_refused_with_its_error() {
    for &blunder in Blunder::ALL {
        let seconds = if blunder == Blunder::LoopInResume { 1 } else { 60 };
        let limits =
            pointsman_policy::Limits { deadline: Duration::from_secs(seconds), ..Default::default() };
        let policy = load(PolicySpec { limits, ..granted(&blundering(blunder)) }, PLANNER).unwrap();
        let first = policy.decide(input(3)).await;
        match expected(blunder) {
            Refused::AtOnce(words) => {
                let failure = first.unwrap_err();
                assert!(failure.to_string().contains(words), "{blunder:?}: {failure}");
                assert_eq!(failure.reason(), "invalid", "{blunder:?}");
            }
            Refused::TooLarge => assert_eq!(first.unwrap_err().reason(), "too_large", "{blunder:?}"),
            Refused::WhenResumed(words) => {
                assert_eq!(plan(first.unwrap()).tasks()[0].name(), "honest");
                let second = policy.resume(after(vec![result("honest", Some("hi"))]), b"").await;
                match second {
                    Ok(answer) => assert_eq!((plan(answer).first(), words), (1, "")),
                    Err(failure) => assert!(failure.to_string().contains(words), "{blunder:?}: {failure}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn a_plan_is_converted_with_all_its_parts() {
    let settings = Planned {
        shape: Shape::FanOut,
        tasks: 2,
        optional: vec![1],
        timeout_ms: Some(250),
        max_output_tokens: Some(40),
        ..Planned::default()
    };
    let plan = plan(planner(&settings).decide(input(3)).await.unwrap());
    let [one, two, answer] = plan.tasks() else { panic!("{plan:?}") };
    assert_eq!((one.name(), two.name(), answer.name(), plan.label()), ("t0", "t1", "answer", "fan-out"));
    assert_eq!((one.optional, two.optional), (false, true));
    assert_eq!((one.timeout, one.max_output_tokens), (Some(Duration::from_millis(250)), Some(40)));
    assert_eq!(one.decision().targets()[0].candidate, 0);
    assert_eq!(two.decision().targets()[0].candidate, 1);
    assert_eq!(answer.after, [0, 1]);
    assert_eq!(answer.input[0], TaskInput::Conversation(Modalities::all()));
    let TaskInput::Message(message) = &answer.input[1] else { panic!("{:?}", answer.input) };
    assert_eq!(message.content[0], ComposedPart::Text("heard:".to_owned()));
    assert_eq!(*plan.next(), Continuation::Answer(2));
}

#[tokio::test]
async fn a_resumed_policy_reads_state_results_and_outputs() {
    let settings = Planned { shape: Shape::Resume, tasks: 2, ..Planned::default() };
    for isolation in [Isolation::Fresh, Isolation::Warm { recycle_after: 100, instances: 1 }] {
        let policy = load(PolicySpec { isolation, ..granted(&planned(&settings)) }, PLANNER).unwrap();
        let Continuation::Resume(state) = plan(policy.decide(input(3)).await.unwrap()).next().clone() else {
            panic!("it is not to be resumed")
        };
        let results = vec![result("t0", Some("grüße")), result("t1", None)];
        let PolicyAnswer::Step(PlanStep::Finish(finish)) =
            policy.resume(after(results), &state).await.unwrap()
        else {
            panic!("no answer")
        };
        let expected = r#"2 tasks: t0 done stop "grüße" 7+3; t1 failed (status 500)"#;
        assert_eq!(finish.content(), [ComposedPart::Text(expected.to_owned())]);
    }
}

#[tokio::test]
async fn a_routing_decision_of_an_orchestrating_policy_names_only_whole_candidates() {
    let mut input = input(3);
    input.orchestration.whole = 2;
    let answer = planner(&Planned::default()).decide(input).await.unwrap();
    let PolicyAnswer::Step(PlanStep::Route(decision)) = answer else { panic!("{answer:?}") };
    assert_eq!(decision.targets().len(), 2);
}

#[tokio::test]
async fn a_router_cannot_be_resumed() {
    let policy = load(spec(), pointsman_guests::FIRST).unwrap();
    assert!(!policy.orchestrates() && planner(&Planned::default()).orchestrates());
    assert_eq!(policy.resume(input(1), b"").await.unwrap_err().reason(), "unreadable");
}

#[test]
fn outputs_of_tasks_need_a_grant() {
    assert_eq!(
        load_error(spec(), PLANNER),
        "the policy imports `pointsman:policy/outputs@0.1.0`, which it is not granted; \
         to grant it: grants = [\"outputs\"]"
    );
}

#[test]
fn the_limit_of_the_state_is_that_of_the_contract() {
    assert!(include_str!("../../../../wit/orchestration.wit").contains(&format!("{} KiB", MAX_STATE >> 10)));
}
