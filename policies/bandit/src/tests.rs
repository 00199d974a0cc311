use pointsman_sdk::testkit::{Gateway, candidate, request};

use super::*;

fn models() -> [Candidate; 3] {
    ["a/first", "b/second", "c/third"].map(|id| candidate(id, 1.0, 1.0))
}

/// Returns ids as different as those that the gateway makes.
fn decision_id(number: u64) -> String {
    format!("01937c2a-{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn route(gateway: &Gateway, number: u64, models: &[Candidate]) -> Decision {
    gateway.route::<Bandit>(&Request { id: decision_id(number), ..request() }, models).unwrap()
}

fn outcome(decision: &Decision, models: &[Candidate], is_answered: bool, cost: f64) -> Outcome {
    Outcome {
        id: "decision".to_owned(),
        label: decision.label.clone(),
        status: if is_answered { OutcomeStatus::Answered } else { OutcomeStatus::Failed },
        model: Some(models[decision.targets[0].candidate as usize].id.clone()),
        attempts: 1,
        input_tokens: 10,
        output_tokens: 10,
        cost,
        first_token_ms: None,
        latency_ms: 0.0,
        error: None,
    }
}

fn rating(model: &str, score: f64, name: Option<&str>) -> Rating {
    Rating {
        decision: "decision".to_owned(),
        label: "bandit:chat".to_owned(),
        model: model.to_owned(),
        score,
        name: name.map(str::to_owned),
    }
}

#[test]
fn the_propensity_is_the_share_of_the_model() {
    let gateway = Gateway::new();
    for (model, scores) in [("a/first", [0.9, 0.7]), ("b/second", [0.8, 0.6]), ("c/third", [0.1, 0.3])] {
        scores.into_iter().for_each(|score| gateway.rate::<Bandit>(&rating(model, score, None)));
    }
    const DRAWS: u32 = 20_000;
    let (mut drawn, mut stated) = ([0_u32; 3], [0.0; 3]);
    for number in 0..DRAWS {
        let decision = route(&gateway, number.into(), &models());
        let first = decision.targets[0].candidate as usize;
        drawn[first] += 1;
        stated[first] = decision.propensity.unwrap();
    }
    assert!((stated.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{stated:?}");
    assert!(stated[0] > stated[1] && stated[1] > stated[2] && stated[2] > 0.0, "{stated:?}");
    for (drawn, stated) in drawn.into_iter().zip(stated) {
        let deviation = (stated * (1.0 - stated) / f64::from(DRAWS)).sqrt();
        assert!((f64::from(drawn) / f64::from(DRAWS) - stated).abs() < 4.0 * deviation, "{drawn} {stated}");
    }
}

#[test]
fn it_learns_which_model_answers_best() {
    let (gateway, models) = (Gateway::new().settings(r#"{"score_weight":0}"#), models());
    let mut best = 0;
    const REQUESTS: u64 = 600;
    for number in 0..REQUESTS {
        let decision = route(&gateway, number, &models);
        let first = decision.targets[0].candidate as usize;
        // The second model fails every tenth time, the others every second and third.
        let is_answered = !number.is_multiple_of([2, 10, 3][first]);
        gateway.observe::<Bandit>(&outcome(&decision, &models, is_answered, 0.0));
        best += u32::from(first == 1 && number >= REQUESTS / 2);
    }
    assert!(f64::from(best) > 0.85 * (REQUESTS / 2) as f64, "{best}");
}

#[test]
fn cost_and_time_take_from_the_worth() {
    let settings = Settings::default();
    assert_eq!(settings.worth(0.0, 0.0), 1.0);
    assert!((settings.worth(0.01, 5_000.0) - 0.8).abs() < 1e-12);
    assert_eq!(settings.worth(9.0, 0.0), 0.0);
}

#[test]
fn kinds_of_task_are_learnt_apart() {
    let gateway = Gateway::new();
    gateway.rate::<Bandit>(&rating("a/first", 1.0, None));
    assert!(route(&gateway, 1, &models()).label == "bandit:chat");
    assert_eq!(gateway.kept_text("1/chat/score/sum/a/first").as_deref(), Some("1000000"));
    for (request, kind) in [
        (Request { operation: "embedding".to_owned(), ..request() }, "other"),
        (Request { inputs: Modalities::TEXT | Modalities::IMAGE, ..request() }, "media"),
        (Request { needs: Abilities::REASONING | Abilities::TOOLS, ..request() }, "reasoning"),
        (Request { needs: Abilities::TOOLS, ..request() }, "tools"),
        (Request { input_tokens: 4_000, ..request() }, "long"),
    ] {
        let decision = gateway.route::<Bandit>(&request, &models()).unwrap();
        assert_eq!(decision.label, format!("bandit:{kind}"));
        // Nothing is known of this kind, and all models are alike.
        assert!((decision.propensity.unwrap() - 1.0 / 3.0).abs() < 1e-9);
    }
}

#[test]
fn only_ratings_and_outcomes_that_are_meant_count() {
    let gateway = Gateway::new().settings(r#"{"rating":"helpful"}"#);
    gateway.rate::<Bandit>(&rating("a/first", 1.0, None));
    gateway.rate::<Bandit>(&rating("a/first", 1.0, Some("polite")));
    gateway.rate::<Bandit>(&Rating { label: "other".to_owned(), ..rating("a/first", 1.0, Some("helpful")) });
    assert_eq!(gateway.kept_text("1/chat/score/n/a/first"), None);
    gateway.rate::<Bandit>(&rating("a/first", 0.25, Some("helpful")));
    assert_eq!(gateway.kept_text("1/chat/score/n/a/first").as_deref(), Some("1"));
    let decision = route(&gateway, 1, &models());
    let cancelled = Outcome { status: OutcomeStatus::Cancelled, ..outcome(&decision, &models(), true, 0.0) };
    gateway.observe::<Bandit>(&cancelled);
    assert_eq!(gateway.run(|| pointsman_sdk::state::list("1/chat/outcome/")).len(), 0);
}

#[test]
fn a_model_that_is_not_healthy_is_a_fallback() {
    let gateway = Gateway::new();
    let mut models = models();
    models[0].healthy = false;
    for number in 0..50 {
        let decision = route(&gateway, number, &models);
        assert!(decision.targets[0].candidate != 0 && decision.targets[2].candidate == 0);
        assert!((decision.propensity.unwrap() - 0.5).abs() < 1e-9);
    }
}

#[test]
fn settings_out_of_range_are_rejected_by_name() {
    for (settings, name) in [
        (r#"{"worth_per_usd":-1}"#, "worth_per_usd"),
        (r#"{"prior_weight":0}"#, "prior_weight"),
        (r#"{"score_weight":1e9}"#, "score_weight"),
        (r#"{"scores":1}"#, "scores"),
    ] {
        let error = Gateway::new().settings(settings).validate::<Bandit>().unwrap_err();
        assert!(error.contains(name), "{error}");
    }
}
