//! Traces of plans by the id of the decision.

use pointsman_guests::{Planned, Shape};
use pointsman_tests::{FakeModel, Step, client};
use serde_json::{Value, json};

use super::Setup;
use crate::fleet::{ask, chat, error};

async fn trace(setup: &Setup, id: &str) -> Value {
    let answer = client::get(&setup.gateway.admin(&format!("/admin/plans/{id}"))).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer.json()
}

#[tokio::test]
async fn a_trace_reports_tasks_models_times_tokens_and_the_critical_path() {
    let (one, failing) = (FakeModel::saying("from one").await, FakeModel::always(Step::status(500)).await);
    let last = FakeModel::saying("all in all").await;
    let settings = Planned { shape: Shape::FanOut, tasks: 2, optional: vec![1], ..Planned::default() };
    let setup = Setup::planning(&settings, &[&one, &failing, &last], "max_attempts = 1").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    let id = answer.header("x-pointsman-decision-id").expect("an id");
    let trace = trace(&setup, id).await;
    assert_eq!(
        (&trace["id"], &trace["route"], &trace["label"]),
        (&json!(id), &json!("main"), &json!("fan-out"))
    );
    assert_eq!((&trace["ending"], &trace["steps"]), (&json!("answered"), &json!(1)));
    assert!(trace["policy"].as_str().is_some_and(|policy| policy.starts_with("planner@")), "{trace}");
    let cost = answer.header("x-pointsman-cost-usd").and_then(|cost| cost.parse::<f64>().ok());
    assert_eq!(trace["cost_usd"].as_f64(), cost);
    let tasks = trace["tasks"].as_array().expect("tasks");
    let reported: Vec<[&Value; 5]> = tasks
        .iter()
        .map(|task| ["name", "status", "model", "attempts", "output_tokens"].map(|key| &task[key]))
        .collect();
    assert_eq!(
        reported,
        [
            [&json!("t0"), &json!("done"), &json!("a/chat"), &json!(1), &json!(2)],
            [&json!("t1"), &json!("failed"), &json!(null), &json!(1), &json!(0)],
            [&json!("answer"), &json!("done"), &json!("c/chat"), &json!(1), &json!(3)],
        ]
    );
    assert_eq!(tasks[1]["error"], "b/chat: status 500");
    assert_eq!(tasks[2]["after"], json!([0, 1]));
    let time = |task: usize, key: &str| tasks[task][key].as_f64().expect("a time");
    assert!(time(2, "begun_ms") >= time(0, "ended_ms").max(time(1, "ended_ms")), "{trace}");
    let path = trace["critical_path"].as_array().expect("a path");
    assert_eq!(path.last(), Some(&json!(2)));
    assert!(trace["critical_path_ms"].as_f64() <= trace["latency_ms"].as_f64(), "{trace}");

    let list = client::get(&setup.gateway.admin("/admin/plans?limit=1")).await.json();
    assert_eq!((&list[0]["id"], &list[0]["tasks"]), (&json!(id), &json!(3)));
    assert_eq!(list[1], Value::Null);
}

#[tokio::test]
async fn a_trace_is_drawn_as_a_chart() {
    let model = FakeModel::saying("said").await;
    let settings = Planned { shape: Shape::Chain, tasks: 1, ..Planned::default() };
    let setup = Setup::planning(&settings, &[&model], "").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    let id = answer.header("x-pointsman-decision-id").expect("an id");
    let chart = client::get(&setup.gateway.admin(&format!("/admin/plans/{id}.svg"))).await;
    assert_eq!(chart.header("content-type"), Some("image/svg+xml"));
    let svg = String::from_utf8(chart.body.to_vec()).expect("SVG is text");
    assert!(
        svg.starts_with("<svg ") && svg.contains(">t0</text>") && svg.contains("class=\"critical\""),
        "{svg}"
    );
}

#[tokio::test]
async fn a_failed_plan_has_a_trace_and_an_unknown_one_has_none() {
    let failing = FakeModel::always(Step::status(500)).await;
    let settings = Planned { shape: Shape::Chain, tasks: 2, ..Planned::default() };
    let setup = Setup::planning(&settings, &[&failing], "max_attempts = 1").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    let trace = trace(&setup, answer.header("x-pointsman-decision-id").expect("an id")).await;
    assert_eq!(
        (&trace["ending"], &trace["error"]),
        (&json!("failed"), &json!("task `t0` failed: a/chat: status 500"))
    );
    let statuses: Vec<&Value> =
        trace["tasks"].as_array().expect("tasks").iter().map(|task| &task["status"]).collect();
    assert_eq!(statuses, ["failed", "skipped", "skipped"]);

    let missing = client::get(&setup.gateway.admin("/admin/plans/0192")).await;
    let message = error(&missing, 404, "unknown_plan");
    assert!(message.starts_with("there is no plan `0192`"), "{message}");
}

#[tokio::test]
async fn a_dry_run_shows_the_plan_that_would_be_run() {
    let (one, two) = (FakeModel::saying("from one").await, FakeModel::saying("from two").await);
    let settings = Planned { shape: Shape::FanOut, tasks: 2, ..Planned::default() };
    let setup = Setup::planning(&settings, &[&one, &two], "").await;
    let dry = client::post(&setup.gateway.url("/v1/decisions"), &chat("main", "hi")).await;
    assert_eq!(dry.status, 200);
    let record = dry.json();
    let decision = &record["decisions"][0];
    let tasks = record["plan"]["tasks"].as_array().expect("the tasks");
    assert_eq!(
        (&decision["answer"]["kind"], &decision["answer"]["tasks"]),
        (&json!("plan"), &json!(tasks.len()))
    );
    let reported: Vec<_> =
        tasks.iter().map(|task| (task["status"].as_str(), task["model"].as_str())).collect();
    assert_eq!(reported[..2], [(Some("planned"), Some("a/chat")), (Some("planned"), Some("b/chat"))]);
    assert_eq!((one.requests().len(), two.requests().len()), (0, 0));
}

#[tokio::test]
async fn a_plan_is_explained_as_a_decision_with_its_tasks_and_their_calls() {
    let (one, two) = (FakeModel::saying("from one").await, FakeModel::saying("from two").await);
    let settings = Planned { shape: Shape::FanOut, tasks: 2, ..Planned::default() };
    let setup = Setup::planning(&settings, &[&one, &two], "").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    let id = answer.header("x-pointsman-decision-id").expect("an id");
    let record = client::get(&setup.gateway.admin(&format!("/admin/decisions/{id}"))).await.json();
    let plan = &record["plan"];
    let trace = trace(&setup, id).await;
    assert_eq!((&plan["tasks"], &plan["critical_path"]), (&trace["tasks"], &trace["critical_path"]));
    let calls = record["attempts"].as_array().expect("the calls");
    assert!(calls.iter().all(|call| call["task"].is_u64() && call["result"] == "answered"), "{calls:#?}");
    let cost: f64 = calls.iter().filter_map(|call| call["cost_usd"].as_f64()).sum();
    assert!((cost - record["outcome"]["cost_usd"].as_f64().expect("a cost")).abs() < 1e-12);
}
