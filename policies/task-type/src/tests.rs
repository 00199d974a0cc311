use pointsman_sdk::testkit::{Gateway, candidate, request};
use pointsman_sdk::{Abilities, Modalities};

use super::*;

const TABLE: &str = r#"{"quality":{
    "coder":{"code":0.9,"general":0.4},
    "gener*":{"general":0.7,"code":0.7},
    "small":{"general":0.699,"code":0.2}}}"#;

fn models() -> [Candidate; 3] {
    [candidate("a/generalist", 2.0, 2.0), candidate("b/coder", 1.0, 1.0), candidate("c/small", 0.1, 0.1)]
}

fn route(gateway: &Gateway) -> (Vec<u32>, String, String) {
    let decision = gateway.route::<TaskType>(&request(), &models()).unwrap();
    let order = decision.targets.iter().map(|target| target.candidate).collect();
    (order, decision.label, decision.reason.unwrap())
}

#[test]
fn the_best_model_for_the_task_goes_first() {
    let (order, label, reason) = route(&Gateway::new().settings(TABLE).user("Debug this Python function."));
    assert_eq!((order, label.as_str()), (vec![1, 0, 2], "task:code"));
    assert_eq!(reason, "looks like code; b/coder has quality 0.9 at it");
}

#[test]
fn among_equally_good_models_the_cheapest_goes_first() {
    let (order, label, _) = route(&Gateway::new().settings(TABLE).user("hi, how are you?"));
    assert_eq!((order, label.as_str()), (vec![2, 0, 1], "task:chat"));
}

#[test]
fn the_models_own_qualities_count_where_the_settings_are_silent() {
    let gateway = Gateway::new().task_quality(2, "code", 0.8).user("Debug this Python function.");
    let (order, _, reason) = route(&gateway);
    assert_eq!(order, [2, 0, 1]);
    assert_eq!(reason, "looks like code; c/small has quality 0.8 at it");
}

#[test]
fn without_any_quality_the_dearest_goes_first() {
    let (order, _, reason) = route(&Gateway::new().user("Debug this Python function."));
    assert_eq!(order, [0, 1, 2]);
    assert_eq!(reason, "looks like code; no quality is stated, so a/generalist for its price");
}

#[test]
fn pictures_and_tools_have_tasks_of_their_own() {
    let label = |request: &Request| Gateway::new().route::<TaskType>(request, &models()).unwrap().label;
    assert_eq!(label(&Request { inputs: Modalities::TEXT | Modalities::IMAGE, ..request() }), "task:vision");
    assert_eq!(label(&Request { inputs: Modalities::AUDIO, ..request() }), "task:audio");
    assert_eq!(label(&Request { needs: Abilities::TOOLS, ..request() }), "task:tool_use");
}

#[test]
fn invalid_settings_are_reported_by_name() {
    let error = |json: &str| Gateway::new().settings(json).validate::<TaskType>().unwrap_err();
    assert!(
        error(r#"{"quality":{"*":{"cod":0.5}}}"#)
            .starts_with("setting `quality.*.cod`: there is no such task")
    );
    assert!(
        error(r#"{"quality":{"*":{"code":"good"}}}"#).starts_with("setting `quality.*.code`: invalid type")
    );
    assert_eq!(error(r#"{"tolerance":-1}"#), "setting `tolerance`: -1 is not in 0..1");
    assert!(error(r#"{"read_bytes":-1}"#).starts_with("setting `read_bytes`"));
}
