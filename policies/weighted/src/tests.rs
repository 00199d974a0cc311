use pointsman_sdk::testkit::{Gateway, candidate, request};
use proptest::prelude::*;

use super::*;

const WEIGHTS: &str = r#"{"weights":{"a/large":3,"a/*":1,"medium":4}}"#;

fn models() -> [Candidate; 4] {
    ["a/large", "a/small", "b/medium", "c/other"].map(|id| candidate(id, 1.0, 1.0))
}

fn order(decision: &Decision) -> Vec<u32> {
    decision.targets.iter().map(|target| target.candidate).collect()
}

/// Returns ids as the gateway makes them: UUIDs of version 7.
fn decision_id(number: u64) -> String {
    let random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!(
        "01937c2a-{:04x}-7{:03x}-8{:03x}-{:012x}",
        number >> 8 & 0xffff,
        random >> 52,
        random & 0xfff,
        random >> 12
    )
}

/// Returns the decisions on many requests.
fn decisions<'a>(
    settings: &'a str,
    models: &'a [Candidate],
    requests: impl IntoIterator<Item = Request> + 'a,
) -> impl Iterator<Item = Decision> + 'a {
    let gateway = Gateway::new().settings(settings);
    requests.into_iter().map(move |request| gateway.route::<Weighted>(&request, models).unwrap())
}

fn requests(count: u64) -> impl Iterator<Item = Request> {
    (0..count).map(|number| Request { id: decision_id(number), ..request() })
}

/// Returns the share of each model in the first targets.
fn shares(decisions: impl Iterator<Item = Decision>, models: usize) -> Vec<f64> {
    let mut counts = vec![0_u32; models];
    decisions.for_each(|decision| counts[decision.targets[0].candidate as usize] += 1);
    let total: u32 = counts.iter().sum();
    counts.into_iter().map(|count| f64::from(count) / f64::from(total)).collect()
}

#[test]
fn shares_fit_the_weights_and_each_propensity_is_the_share() {
    let expected = [0.375, 0.125, 0.5, 0.0];
    let shares = shares(decisions(WEIGHTS, &models(), requests(20_000)), 4);
    for (share, expected) in shares.iter().zip(expected) {
        let deviation = (expected * (1.0 - expected) / 20_000.0_f64).sqrt();
        assert!((share - expected).abs() <= 4.0 * deviation, "{shares:?}");
    }
    for decision in decisions(WEIGHTS, &models(), requests(200)) {
        assert_eq!(decision.propensity, Some(expected[decision.targets[0].candidate as usize]));
        assert_eq!((decision.label.as_str(), decision.targets.len()), ("weighted", 4));
        assert_eq!(decision.targets[3].candidate, 3, "a model without a weight is the last fallback");
    }
}

#[test]
fn the_reason_states_weight_and_probability() {
    let decision = decisions(WEIGHTS, &models()[2..], requests(1)).next().unwrap();
    assert_eq!(decision.reason.as_deref(), Some("b/medium with weight 4 of 4, probability 1.000"));
    let decision = decisions(WEIGHTS, &models()[3..], requests(1)).next().unwrap();
    let reason = "c/other; no candidate has a weight, so each has probability 1.000";
    assert_eq!(decision.reason.as_deref(), Some(reason));
}

#[test]
fn without_settings_all_models_have_the_same_share() {
    let shares = shares(decisions("{}", &models(), requests(20_000)), 4);
    assert!(shares.iter().all(|share| (share - 0.25).abs() < 0.015), "{shares:?}");
    assert!(decisions("{}", &models(), requests(9)).all(|decision| decision.propensity == Some(0.25)));
}

#[test]
fn the_most_precise_pattern_decides() {
    let settings = r#"{"weights":{"*":1,"a/*":2,"a/l*":3,"a/small":4,"*m*":0}}"#;
    let policy = Gateway::new().settings(settings);
    let weights = policy.run(|| {
        let policy = Weighted::new(pointsman_sdk::settings::load().unwrap()).unwrap();
        policy.weights(&models()).unwrap()
    });
    assert_eq!(weights, [3.0, 4.0, 0.0, 1.0], "equally precise ones: the last in alphabetical order");
}

#[test]
fn an_attribute_states_weights_unless_the_settings_do() {
    let gateway = Gateway::new()
        .settings(r#"{"weights":{"a/large":0},"attribute":"weight"}"#)
        .attribute(0, "weight", "100")
        .attribute(1, "weight", " 0.5 ");
    let decision = gateway.route::<Weighted>(&request(), &models()).unwrap();
    assert_eq!((order(&decision), decision.propensity), (vec![1, 0, 2, 3], Some(1.0)));

    let gateway = gateway.attribute(2, "weight", "heavy");
    let Err(Refusal::Internal(message)) = gateway.route::<Weighted>(&request(), &models()) else { panic!() };
    assert_eq!(message, "attribute `weight` of b/medium is \"heavy\": it is not a number");
    let gateway = gateway.attribute(2, "weight", "-1");
    let Err(Refusal::Internal(message)) = gateway.route::<Weighted>(&request(), &models()) else { panic!() };
    assert!(message.contains("-1 is not a weight"), "{message}");
}

#[test]
fn a_sticky_session_keeps_its_model_and_sessions_are_drawn_by_weight() {
    let settings = r#"{"weights":{"a/large":3,"a/small":1},"sticky":true}"#;
    let sessions = |count| {
        (0..count).flat_map(|session| {
            let session = Some(format!("session-{session}"));
            (0..3).map(move |number| Request {
                id: decision_id(number),
                session: session.clone(),
                ..request()
            })
        })
    };
    let all: Vec<Decision> = decisions(settings, &models(), sessions(5_000)).collect();
    for session in all.chunks(3) {
        assert!(session.windows(2).all(|pair| pair[0] == pair[1]), "a session keeps its model");
    }
    assert_eq!((all[0].label.as_str(), all[0].propensity.is_some()), ("weighted:session", true));
    let shares = shares(all.into_iter(), 4);
    assert!((shares[0] - 0.75).abs() < 0.025, "{shares:?}");

    let without = decisions(settings, &models(), requests(50)).collect::<Vec<_>>();
    assert!(without.iter().all(|decision| decision.label == "weighted"));
    assert!(without.iter().any(|decision| decision.targets[0] != without[0].targets[0]));
}

#[test]
fn a_lost_model_moves_only_its_own_sessions() {
    let settings = r#"{"weights":{"a/*":1,"b/*":1,"c/*":1},"sticky":true}"#;
    let sessions = || (0..500).map(|number| Request { session: Some(format!("{number}")), ..request() });
    let id =
        |models: &[Candidate], decision: &Decision| models[decision.targets[0].candidate as usize].id.clone();
    let (all, fewer) = (models(), models()[1..].to_vec());
    let before = decisions(settings, &all, sessions()).map(|decision| id(&all, &decision));
    let after = decisions(settings, &fewer, sessions()).map(|decision| id(&fewer, &decision));
    for (before, after) in before.zip(after) {
        assert!(before == after || before == "a/large", "{before} {after}");
    }
}

#[test]
fn another_salt_draws_anew() {
    let first = |settings| -> Vec<_> {
        decisions(settings, &models(), requests(50)).map(|decision| order(&decision)).collect()
    };
    assert_eq!(first("{}"), first(r#"{"salt":""}"#));
    assert_ne!(first("{}"), first(r#"{"salt":"2"}"#));
}

#[test]
fn models_that_are_unhealthy_or_not_affordable_are_not_drawn() {
    let mut models = models();
    models[2].healthy = false;
    for decision in decisions(WEIGHTS, &models, requests(100)) {
        let first = decision.targets[0].candidate;
        assert_eq!(decision.propensity, Some(if first == 0 { 0.75 } else { 0.25 }));
        assert_eq!(decision.targets.len(), 4, "it is a fallback");
    }
    models.iter_mut().for_each(|model| model.healthy = false);
    assert!(shares(decisions(WEIGHTS, &models, requests(100)), 4)[2] > 0.3, "unless all are unhealthy");

    let models = [candidate("a/large", 10.0, 10.0), candidate("a/small", 1.0, 1.0)];
    let poor = requests(50).map(|request| Request { budget_left: Some(0.001), ..request });
    for decision in decisions(WEIGHTS, &models, poor) {
        assert_eq!((order(&decision), decision.propensity), (vec![1], Some(1.0)));
    }
}

#[test]
fn invalid_settings_are_reported_by_name() {
    let error = |json: &str| Gateway::new().settings(json).validate::<Weighted>().unwrap_err();
    let negative = "setting `weights.a/b`: -1 is not a weight; a number from 0 to 1000000000 is expected";
    assert_eq!(error(r#"{"weights":{"a/b":-1}}"#), negative);
    assert!(error(r#"{"weights":{"a/b":1e10}}"#).contains("not a weight"));
    assert!(error(r#"{"weights":{"a/b":"1"}}"#).starts_with("setting `weights.a/b`: invalid type"));
    assert!(error(r#"{"weights":{"":1}}"#).contains("an empty name matches no model"));
    assert!(error(r#"{"weights":{"a/b":0}}"#).contains("all are 0"));
    assert!(error(r#"{"attribute":""}"#).contains("the name of an attribute is expected"));
    assert!(error(r#"{"weight":{}}"#).contains("expected one of `weights`, `attribute`, `sticky`, `salt`"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The smallest share is 1/17, so no model is missed in this number of draws.
    #[test]
    fn the_propensities_of_all_models_sum_to_one(weights in prop::collection::vec(0_u32..5, 2..6)) {
        let models: Vec<Candidate> =
            (0..weights.len()).map(|n| candidate(&format!("a/{n}"), 1.0, 1.0)).collect();
        let stated = weights.iter().enumerate().map(|(n, weight)| format!("\"a/{n}\":{weight}"));
        let stated = stated.collect::<Vec<_>>().join(",");
        prop_assume!(weights.iter().any(|weight| *weight > 0));
        let settings = format!("{{\"weights\":{{{stated}}}}}");
        let mut propensities = vec![None; weights.len()];
        for decision in decisions(&settings, &models, requests(600)) {
            let first = decision.targets[0].candidate as usize;
            prop_assert!(propensities[first].is_none_or(|known| known == decision.propensity));
            propensities[first] = Some(decision.propensity);
            prop_assert_eq!(decision.targets.len(), weights.len());
        }
        let sum: f64 = propensities.into_iter().flatten().flatten().sum();
        prop_assert!((sum - 1.0).abs() < 1e-9, "{}", sum);
    }
}
