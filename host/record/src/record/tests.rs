use std::sync::Arc;
use std::time::Duration;

use pointsman_domain::failure::FailureKind;
use pointsman_domain::history::{CallEnd, DecisionAnswer, PlanRun, TaskRun};
use pointsman_domain::model::Operation;
use pointsman_domain::outcome::{Fault, RequestEnd};
use pointsman_domain::plan::PlanLimits;

use super::*;
use crate::sample::history;

fn json(history: &History) -> String {
    serde_json::to_string_pretty(&DecisionRecord::from_history(history)).expect("a record is JSON")
}

#[test]
fn a_routed_request_is_recorded() {
    insta::assert_snapshot!(json(&history(1_000, "llama-7b", RequestEnd::Answered)));
}

#[test]
fn a_plan_is_recorded_with_its_tasks() {
    let mut planned = history(1_000, "llama-7b", RequestEnd::Answered);
    let task = |name: &str, begun: u64, ended: u64, after: &[usize]| TaskRun {
        name: name.to_owned(),
        operation: Operation::Chat,
        step: 1,
        after: after.to_vec(),
        begun: Some(Duration::from_millis(begun)),
        ended: Some(Duration::from_millis(ended)),
        model: Some("fleet/llama-7b".to_owned()),
        output_bytes: Some(20),
        error: None,
    };
    planned.plan = Some(PlanRun {
        steps: 1,
        limits: PlanLimits::default(),
        tasks: vec![task("see", 1, 20, &[]), task("say", 20, 40, &[0])],
    });
    planned.calls[0].task = Some(1);
    planned.decisions[0].answer = DecisionAnswer::Plan { label: "split".to_owned(), reason: None, tasks: 2 };
    let record = serde_json::to_value(DecisionRecord::from_history(&planned)).expect("a record is JSON");
    assert_eq!(record["plan"]["critical_path"], serde_json::json!([0, 1]));
    assert_eq!(record["plan"]["tasks"][1]["attempts"], 1);
    assert_eq!(record["decisions"][0]["answer"]["kind"], "plan");
}

#[test]
fn a_failure_is_recorded_with_the_party_at_fault() {
    let mut failed = history(1_000, "llama-7b", RequestEnd::Failed);
    failed.outcome.error = Some("no model answered".to_owned());
    failed.outcome.fault = Some(Fault::Backend);
    failed.calls[0].end = CallEnd::Failed(FailureKind::server_error(500));
    failed.decisions[0].answer =
        DecisionAnswer::Failure { reason: "deadline", message: "too slow".to_owned() };
    let record = serde_json::to_value(DecisionRecord::from_history(&failed)).expect("a record is JSON");
    assert_eq!(record["attempts"][0]["error"], "status 500");
    assert_eq!(record["outcome"]["fault"], "backend");
    assert_eq!(record["decisions"][0]["answer"]["reason"], "deadline");
    assert!(record["outcome"].get("model").is_none(), "nobody answered");
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
        output_bytes: None,
        error: None,
    };
    let plan = PlanRun { steps: 1, limits: PlanLimits::default(), tasks: vec![task] };
    let dry = DryRun {
        route: "auto",
        arrived: asked.arrived,
        request: &request,
        decisions: &asked.decisions,
        plan: Some(&plan),
    };
    let record = serde_json::to_value(DecisionRecord::from_dry_run(&dry)).expect("a record is JSON");
    assert_eq!((record.get("outcome"), &record["attempts"]), (None, &serde_json::json!([])));
    assert_eq!(record["decisions"][0]["candidates"][0]["model"], "fleet/llama-7b");
    assert_eq!(record["plan"]["tasks"][0]["status"], "planned");
}
