//! Policies that were built for the release of 0.1.0: every later gateway of 0.1 loads them, and they
//! decide as before.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pointsman_domain::decision::Decision;
use pointsman_domain::model::Modalities;
use pointsman_domain::plan::{ComposedPart, Continuation, Plan, PlanStep, TaskInput};
use pointsman_guests::{Planned, Shape, planned};
use pointsman_policy::{
    Code, DecisionInput, Grants, Isolation, Policy, PolicyAnswer, PolicyFailure, PolicySpec,
};
use pointsman_state::StateAccess;

use crate::grants::{about, conversation};
use crate::isolation::outcome;
use crate::plans::{after, result};
use crate::support::{decide, input, label, load, load_error, reason, repository, spec, spec_with};

const GUESTS: [&str; 5] = ["cost", "first", "planner", "reader", "recorder"];

fn directory() -> PathBuf {
    Path::new(repository()).join("tests/fixtures/guests/0.1.0")
}

/// Reads the released policy of this name.
pub fn guest(name: &str) -> Vec<u8> {
    fs::read(directory().join(name).with_extension("wasm")).unwrap()
}

fn routed(answer: Result<PolicyAnswer, PolicyFailure>) -> Decision {
    match answer.unwrap() {
        PolicyAnswer::Step(PlanStep::Route(decision)) => decision,
        other => panic!("not a decision: {other:?}"),
    }
}

fn order(decision: &Decision) -> Vec<usize> {
    decision.targets().iter().map(|target| target.candidate).collect()
}

#[test]
fn the_files_match_their_list_of_digests() {
    let list = fs::read_to_string(directory().join("README.md")).unwrap();
    for name in GUESTS {
        let line = format!("| `{name}.wasm` | `{}` |", Code::new(guest(name)).digest());
        assert!(list.contains(&line), "the list lacks {line}");
    }
    assert_eq!(fs::read_dir(directory()).unwrap().count(), GUESTS.len() + 1);
}

#[tokio::test]
async fn first_prefers_the_first_candidate() {
    let policy = load(spec(), &guest("first")).unwrap();
    let decision = routed(decide(&policy).await);
    assert_eq!(order(&decision), [0, 1, 2]);
    assert_eq!(
        (decision.label(), decision.reason(), decision.hedge_after()),
        ("version-00000000", None, None)
    );

    let settled = spec_with(r#"{"label": "mine", "hedge_after_ms": 70}"#);
    let decision = routed(decide(&load(settled, &guest("first")).unwrap()).await);
    assert_eq!((decision.label(), decision.hedge_after()), ("mine", Some(Duration::from_millis(70))));
    let error = load_error(spec_with(r#"{"lable": "mine"}"#), &guest("first"));
    assert!(error.starts_with("the policy refuses its settings: ") && error.contains("lable"), "{error}");
}

#[tokio::test]
async fn reader_reads_the_prompt_if_granted() {
    assert!(load_error(spec(), &guest("reader")).ends_with(r#"to grant it: grants = ["prompt"]"#));
    let policy = load(PolicySpec { grants: Grants::PROMPT, ..spec() }, &guest("reader")).unwrap();
    let answer = policy.decide(about(conversation())).await;
    assert_eq!(reason(answer), r#"3 system 17 "Wie spät ist es?" [clock,calendar]"#);
}

#[tokio::test]
async fn recorder_observes_outcomes() {
    let isolation = Isolation::Warm { recycle_after: 100, instances: 1 };
    let policy = load(PolicySpec { isolation, ..spec() }, &guest("recorder")).unwrap();
    assert_eq!(label(decide(&policy).await), "decision-1:outcomes-0");
    policy.observe(&outcome(), StateAccess::Direct).await.unwrap();
    assert_eq!(
        reason(decide(&policy).await),
        "Outcome { id: \"decision-1\", label: \"decision-1:outcomes-0\", status: OutcomeStatus::Answered, \
         model: Some(\"fleet/model-0\"), attempts: 2, input-tokens: 1200, output-tokens: 80, cost: 0.25, \
         first-token-ms: Some(150.0), latency-ms: 1500.0, error: None }"
    );
}

#[tokio::test]
async fn cost_takes_the_cheapest_above_its_floor() {
    let by_falling_price = || {
        let input = input(3);
        let candidates = input.candidates.iter().rev().cloned().collect();
        DecisionInput { candidates, ..input }
    };
    let policy = load(spec(), &guest("cost")).unwrap();
    let decision = routed(policy.decide(by_falling_price()).await);
    assert_eq!((order(&decision), decision.label()), (vec![2, 1, 0], "cheapest"));
    assert_eq!(decision.reason(), Some("fleet/model-0 at about $0.000222 for 1200 + 256 tokens"));

    let cases = [
        ("0.4", [2, 1, 0], "cheapest:above-floor", "fleet/model-0 at about $0.000222", 3),
        ("0.6", [0, 1, 2], "best:below-floor", "fleet/model-2 at about $0.000667", 0),
    ];
    for (floor, targets, label, first, reach) in cases {
        let settings = format!(r#"{{"quality_floor": {floor}}}"#);
        let policy = load(spec_with(&settings), &guest("cost")).unwrap();
        let decision = routed(policy.decide(by_falling_price()).await);
        assert_eq!((order(&decision), decision.label()), (targets.to_vec(), label));
        let reason = format!(
            "{first} for 1200 + 256 tokens; \
             quality 0.5, floor {floor}, {reach} models reach it"
        );
        assert_eq!(decision.reason(), Some(&*reason));
    }
    let error = load_error(spec_with(r#"{"quality_floor": 80}"#), &guest("cost"));
    assert!(error.ends_with("setting `quality_floor`: 80 is not in 0..1"), "{error}");
}

#[tokio::test]
async fn planner_plans_and_resumes() {
    let settings = Planned { shape: Shape::FanOut, tasks: 2, optional: vec![1], ..Planned::default() };
    let plan = plan_of(&settings).await;
    let [one, two, answer] = plan.tasks() else { panic!("{plan:?}") };
    assert_eq!((one.name(), two.name(), answer.name(), plan.label()), ("t0", "t1", "answer", "fan-out"));
    assert_eq!((one.optional, two.optional, answer.after.as_slice()), (false, true, [0, 1].as_slice()));
    assert_eq!(two.decision().targets()[0].candidate, 1);
    assert_eq!(answer.input[0], TaskInput::Conversation(Modalities::all()));
    assert_eq!(*plan.next(), Continuation::Answer(2));

    let settings = Planned { shape: Shape::Resume, tasks: 2, ..Planned::default() };
    let Continuation::Resume(state) = plan_of(&settings).await.next().clone() else {
        panic!("not to be resumed")
    };
    let results = after(vec![result("t0", Some("grüße")), result("t1", None)]);
    let PolicyAnswer::Step(PlanStep::Finish(finish)) =
        planner(&settings).resume(results, &state).await.unwrap()
    else {
        panic!("no answer")
    };
    let expected = r#"2 tasks: t0 done stop "grüße" 7+3; t1 failed (status 500)"#;
    assert_eq!(finish.content(), [ComposedPart::Text(expected.to_owned())]);
}

fn planner(settings: &Planned) -> Policy {
    load(PolicySpec { grants: Grants::OUTPUTS, ..spec_with(&planned(settings)) }, &guest("planner")).unwrap()
}

async fn plan_of(settings: &Planned) -> Plan {
    match planner(settings).decide(input(3)).await.unwrap() {
        PolicyAnswer::Step(PlanStep::Run(plan)) => plan,
        other => panic!("not a plan: {other:?}"),
    }
}
