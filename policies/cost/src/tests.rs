use pointsman_sdk::testkit::{Gateway, candidate, request};

use super::*;

fn models() -> [Candidate; 4] {
    let model = |id, price, quality| Candidate { quality, ..candidate(id, price, price) };
    [
        model("a/large", 4.0, Some(0.9)),
        model("a/small", 0.2, Some(0.5)),
        model("b/medium", 1.0, Some(0.8)),
        model("b/new", 0.5, None),
    ]
}

fn order(decision: &Decision) -> Vec<u32> {
    decision.targets.iter().map(|target| target.candidate).collect()
}

fn route(settings: &str) -> Decision {
    Gateway::new().settings(settings).route::<Cost>(&request(), &models()).unwrap()
}

#[test]
fn without_a_floor_the_cheapest_wins_and_the_rest_follow_by_cost() {
    let decision = route("{}");
    assert_eq!((order(&decision), decision.label.as_str()), (vec![1, 3, 2, 0], "cheapest"));
    assert_eq!(decision.reason.as_deref(), Some("a/small at about $0.000071 for 100 + 256 tokens"));
}

#[test]
fn with_a_floor_the_cheapest_above_it_wins_then_unknown_ones_then_the_best_below() {
    let decision = route(r#"{"quality_floor":0.7}"#);
    assert_eq!((order(&decision), decision.label.as_str()), (vec![2, 0, 3, 1], "cheapest:above-floor"));
    assert_eq!(
        decision.reason.as_deref(),
        Some("b/medium at about $0.000356 for 100 + 256 tokens; quality 0.8, floor 0.7, 2 models reach it")
    );
}

#[test]
fn where_none_reaches_the_floor_an_unknown_one_goes_before_the_best_below() {
    let decision = route(r#"{"quality_floor":0.95}"#);
    assert_eq!((order(&decision), decision.label.as_str()), (vec![3, 0, 2, 1], "cheapest:quality-unknown"));
    let known = &models()[..3];
    let gateway = Gateway::new().settings(r#"{"quality_floor":0.95}"#);
    let decision = gateway.route::<Cost>(&request(), known).unwrap();
    assert_eq!((order(&decision), decision.label.as_str()), (vec![0, 2, 1], "best:below-floor"));
}

#[test]
fn quality_at_the_configured_task_counts_before_the_general_one() {
    let gateway =
        Gateway::new().settings(r#"{"quality_floor":0.7,"task":"code"}"#).task_quality(1, "code", 0.75);
    assert_eq!(order(&gateway.route::<Cost>(&request(), &models()).unwrap())[0], 1);
}

#[test]
fn a_strict_floor_refuses_and_says_what_the_best_has() {
    let gateway = Gateway::new().settings(r#"{"quality_floor":0.95,"strict":true}"#);
    let refused = |models: &[Candidate]| gateway.route::<Cost>(&request(), models).unwrap_err();
    assert_eq!(
        refused(&models()[..3]),
        Refusal::NoCandidate(
            "no model reaches the quality floor of 0.95; the best, a/large, has 0.9".to_owned()
        )
    );
    let Refusal::NoCandidate(message) = refused(&models()[3..]) else { panic!() };
    assert!(message.contains("hint: state `quality`"), "{message}");
}

#[test]
fn the_cost_of_the_whole_request_counts_not_one_price() {
    let cheap_to_ask = candidate("a/a", 0.1, 10.0);
    let cheap_to_answer = candidate("b/b", 1.0, 1.0);
    let first = |request: Request| {
        let models = [cheap_to_ask.clone(), cheap_to_answer.clone()];
        Gateway::new().route::<Cost>(&request, &models).unwrap().targets[0].candidate
    };
    assert_eq!(first(Request { input_tokens: 100_000, max_output_tokens: Some(10), ..request() }), 0);
    assert_eq!(first(Request { input_tokens: 10, ..request() }), 1);
}

#[test]
fn a_budget_denies_what_it_cannot_pay() {
    let poor = Request { budget_left: Some(1e-9), ..request() };
    assert!(matches!(Gateway::new().route::<Cost>(&poor, &models()), Err(Refusal::Denied(_))));
}

#[test]
fn invalid_settings_are_reported_by_name() {
    let error = |json: &str| Gateway::new().settings(json).validate::<Cost>().unwrap_err();
    assert_eq!(error(r#"{"quality_floor":80}"#), "setting `quality_floor`: 80 is not in 0..1");
    assert!(error(r#"{"quality_floor":"high"}"#).starts_with("setting `quality_floor`: invalid type"));
    assert!(error(r#"{"floor":0.5}"#).contains("expected one of `quality_floor`, `task`, `strict`"));
}

#[test]
fn the_prompt_is_never_read() {
    let gateway = Gateway::new().user("secret");
    gateway.route::<Cost>(&request(), &models()).unwrap();
    assert!(!gateway.prompt_was_read());
}
