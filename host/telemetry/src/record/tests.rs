use std::sync::Arc;

use pointsman_domain::failure::FailureKind;
use pointsman_domain::history::{CallEnd, PlanRun, TaskRun};
use pointsman_domain::model::Operation;
use pointsman_domain::outcome::{Fault, RequestEnd};

use super::*;
use crate::sample::history;

fn json(history: &History) -> String {
    serde_json::to_string_pretty(&Record::of(history)).expect("a record is JSON")
}

#[test]
fn a_routed_request_is_told() {
    insta::assert_snapshot!(json(&history(1_000, "llama-7b", RequestEnd::Answered)));
}

#[test]
fn a_plan_is_told_with_its_tasks() {
    let mut planned = history(1_000, "llama-7b", RequestEnd::Answered);
    let task = |name: &str, begun: u64, ended: u64, after: &[usize]| TaskRun {
        name: name.to_owned(),
        operation: Operation::Chat,
        step: 1,
        after: after.to_vec(),
        begun: Some(Duration::from_millis(begun)),
        ended: Some(Duration::from_millis(ended)),
        model: Some("fleet/llama-7b".to_owned()),
        error: None,
    };
    planned.plan =
        Some(PlanRun { steps: 1, tasks: vec![task("see", 1, 20, &[]), task("say", 20, 40, &[0])] });
    planned.calls[0].task = Some(1);
    planned.decisions[0].answer = DecisionAnswer::Plan { label: "split".to_owned(), reason: None, tasks: 2 };
    let told = serde_json::to_value(Record::of(&planned)).expect("a record is JSON");
    assert_eq!(told["plan"]["critical_path"], serde_json::json!([0, 1]));
    assert_eq!(told["plan"]["tasks"][1]["attempts"], 1);
    assert_eq!(told["decisions"][0]["answer"]["kind"], "plan");
}

#[test]
fn a_failure_tells_whose_fault_it_was() {
    let mut failed = history(1_000, "llama-7b", RequestEnd::Failed);
    failed.outcome.error = Some("no model answered".to_owned());
    failed.outcome.fault = Some(Fault::Backend);
    failed.calls[0].end = CallEnd::Failed(FailureKind::server_error(500));
    failed.decisions[0].answer =
        DecisionAnswer::Failure { reason: "deadline", message: "too slow".to_owned() };
    let told = serde_json::to_value(Record::of(&failed)).expect("a record is JSON");
    assert_eq!(told["attempts"][0]["error"], "status 500");
    assert_eq!(told["outcome"]["fault"], "backend");
    assert_eq!(told["decisions"][0]["answer"]["reason"], "deadline");
    assert!(told["outcome"].get("model").is_none(), "nobody answered");
}

#[test]
fn a_dry_run_has_no_outcome() {
    let asked = history(1_000, "llama-7b", RequestEnd::Answered);
    let request = Arc::clone(&asked.request);
    let task = TaskRun {
        name: "see".to_owned(),
        operation: Operation::Chat,
        step: 1,
        after: Vec::new(),
        begun: None,
        ended: None,
        model: Some("fleet/clip".to_owned()),
        error: None,
    };
    let plan = PlanRun { steps: 1, tasks: vec![task] };
    let dry = DryRun {
        route: "auto",
        arrived: asked.arrived,
        request: &request,
        decisions: &asked.decisions,
        plan: Some(&plan),
    };
    let told = serde_json::to_value(Record::dry_run(&dry));
    let told = told.expect("a record is JSON");
    assert_eq!((told.get("outcome"), &told["attempts"]), (None, &serde_json::json!([])));
    assert_eq!(told["decisions"][0]["candidates"][0]["model"], "fleet/llama-7b");
    assert_eq!(told["plan"]["tasks"][0]["status"], "planned");
}
