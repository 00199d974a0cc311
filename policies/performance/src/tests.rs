use pointsman_sdk::testkit::{Gateway, candidate, request};

use super::*;

fn model(id: &str, first_token_ms: f64, tokens_per_second: f64) -> Candidate {
    Candidate {
        first_token_ms: Some(first_token_ms),
        tokens_per_second: Some(tokens_per_second),
        ..candidate(id, 1.0, 1.0)
    }
}

fn route(request: &Request, models: &[Candidate]) -> Decision {
    Gateway::new().route::<Performance>(request, models).unwrap()
}

fn order(decision: &Decision) -> Vec<u32> {
    decision.targets.iter().map(|target| target.candidate).collect()
}

#[test]
fn a_quick_start_wins_short_answers_and_a_high_rate_long_ones() {
    let models = [model("a/quick", 100.0, 20.0), model("b/steady", 1000.0, 200.0)];
    let short = route(&Request { max_output_tokens: Some(10), ..request() }, &models);
    assert_eq!((order(&short), short.label.as_str()), (vec![0, 1], "fastest"));
    assert_eq!(
        short.reason.as_deref(),
        Some("a/quick: the last of 10 tokens in about 600 ms, with 0 calls in flight and 0 % failing")
    );
    assert_eq!(order(&route(&request(), &models)), [1, 0]);
}

#[test]
fn load_and_failures_turn_requests_away() {
    let busy = Candidate { in_flight: 32, ..model("a/busy", 100.0, 100.0) };
    let failing = Candidate { error_rate: 0.8, ..model("b/failing", 100.0, 100.0) };
    let slow = model("c/slow", 150.0, 80.0);
    assert_eq!(order(&route(&request(), &[busy, failing, slow])), [2, 0, 1]);
}

#[test]
fn an_unmeasured_model_gets_its_turn_between_the_measured_ones() {
    let models = [model("a/slow", 900.0, 20.0), candidate("b/new", 1.0, 1.0), model("c/fast", 100.0, 200.0)];
    assert_eq!(order(&route(&request(), &models)), [2, 1, 0]);
}

#[test]
fn without_any_measurement_the_least_loaded_goes_first() {
    let models = [
        Candidate { in_flight: 3, ..candidate("a/a", 1.0, 1.0) },
        Candidate { in_flight: 1, ..candidate("b/b", 1.0, 1.0) },
        Candidate { error_rate: 1.0, ..candidate("c/c", 1.0, 1.0) },
    ];
    let decision = route(&request(), &models);
    assert_eq!((order(&decision), decision.label.as_str()), (vec![1, 0, 2], "fastest:unmeasured"));
}

#[test]
fn a_deadline_that_nobody_keeps_shows_in_the_label() {
    let models = [model("a/a", 100.0, 10.0)];
    assert_eq!(route(&Request { deadline_ms: Some(1000), ..request() }, &models).label, "fastest:late");
    assert_eq!(route(&Request { deadline_ms: Some(60_000), ..request() }, &models).label, "fastest");
}

#[test]
fn a_fast_model_below_the_floor_comes_last() {
    let poor = Candidate { quality: Some(0.2), ..model("a/poor", 10.0, 500.0) };
    let good = Candidate { quality: Some(0.8), ..model("b/good", 500.0, 50.0) };
    let gateway = Gateway::new().settings(r#"{"quality_floor":0.5}"#);
    let decision = gateway.route::<Performance>(&request(), &[poor.clone(), good]).unwrap();
    assert_eq!((order(&decision), decision.label.as_str()), (vec![1, 0], "fastest"));
    let decision = gateway.route::<Performance>(&request(), &[poor]).unwrap();
    assert_eq!(decision.label, "fastest:below-floor");
}

#[test]
fn invalid_settings_are_reported_by_name() {
    let error = |json: &str| Gateway::new().settings(json).validate::<Performance>().unwrap_err();
    assert_eq!(error(r#"{"slots":0}"#), "setting `slots`: 0 is less than 1");
    assert!(error(r#"{"output_tokens":0}"#).starts_with("setting `output_tokens`"));
    assert!(error(r#"{"quality_floor":2}"#).starts_with("setting `quality_floor`: 2 is not in 0..1"));
    assert!(error(r#"{"slots":"many"}"#).starts_with("setting `slots`: invalid type"));
}
