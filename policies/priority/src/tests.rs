use pointsman_sdk::testkit::{Gateway, candidate, request};
use proptest::prelude::*;

use super::*;

fn models() -> [Candidate; 4] {
    ["a/large", "a/small", "b/medium", "c/other"].map(|id| candidate(id, 1.0, 1.0))
}

fn route(settings: &str, models: &[Candidate]) -> Decision {
    Gateway::new().settings(settings).route::<Priority>(&request(), models).unwrap()
}

fn order(decision: &Decision) -> Vec<u32> {
    decision.targets.iter().map(|target| target.candidate).collect()
}

const ORDER: &str =
    r#"{"order":["b/*","small","a/*"],"max_in_flight":10,"max_first_token_ms":800,"max_error_rate":0.5}"#;

#[test]
fn without_settings_the_order_is_that_of_the_route() {
    let decision = route("{}", &models());
    assert_eq!((order(&decision), decision.label.as_str()), (vec![0, 1, 2, 3], "priority:1"));
    assert_eq!(decision.reason.as_deref(), Some("a/large in place 1"));
    assert_eq!(decision.propensity, None, "it does not explore");
}

#[test]
fn the_stated_order_decides_and_the_rest_follows_in_the_order_of_the_route() {
    let decision = route(ORDER, &models());
    assert_eq!((order(&decision), decision.label.as_str()), (vec![2, 1, 0, 3], "priority:1"));
}

#[test]
fn a_model_takes_the_first_place_that_matches_it() {
    assert_eq!(order(&route(r#"{"order":["*","b/medium"]}"#, &models())), [0, 1, 2, 3]);
}

#[test]
fn models_with_an_obstacle_come_later_and_the_label_states_the_place() {
    type Change = fn(&mut Candidate);
    let cases: [(Change, &str); 4] = [
        (|model| model.healthy = false, "is unhealthy"),
        (|model| model.in_flight = 10, "has 10 calls in flight, limit 10"),
        (|model| model.first_token_ms = Some(1200.4), "takes 1200 ms to its first token, limit 800 ms"),
        (|model| model.error_rate = 0.75, "fails 75 % of its calls, limit 50 %"),
    ];
    for (change, why) in cases {
        let mut models = models();
        change(&mut models[2]);
        let decision = route(ORDER, &models);
        assert_eq!((order(&decision), decision.label.as_str()), (vec![1, 0, 3, 2], "priority:2"));
        let expected = format!("a/small in place 2; b/medium in place 1 {why}");
        assert_eq!(decision.reason.as_deref(), Some(expected.as_str()));
    }
}

#[test]
fn values_at_a_limit_and_unknown_speeds_are_no_obstacle() {
    let mut models = models();
    models[2].in_flight = 9;
    models[2].first_token_ms = Some(800.0);
    models[2].error_rate = 0.5;
    assert_eq!(route(ORDER, &models).label, "priority:1");
}

#[test]
fn the_graver_the_obstacle_the_later() {
    let mut models = models();
    models[2].healthy = false;
    models[1].error_rate = 1.0;
    models[0].in_flight = 99;
    models[3].first_token_ms = Some(9000.0);
    let decision = route(ORDER, &models);
    assert_eq!((order(&decision), decision.label.as_str()), (vec![0, 3, 1, 2], "priority:3"));
}

#[test]
fn where_every_model_has_the_same_obstacle_the_order_holds() {
    let models = models().map(|model| Candidate { healthy: false, ..model });
    let decision = route(ORDER, &models);
    assert_eq!(order(&decision), [2, 1, 0, 3]);
    let reason = decision.reason.unwrap();
    assert_eq!(reason, "b/medium in place 1; it is unhealthy, and no other is better");
}

#[test]
fn unlisted_models_and_late_places_share_a_label() {
    assert_eq!(route(r#"{"order":["z/*"]}"#, &models()).label, "priority:unlisted");
    let mut many: Vec<Candidate> = (0..12).map(|n| candidate(&format!("a/{n}"), 1.0, 1.0)).collect();
    many[..9].iter_mut().for_each(|model| model.healthy = false);
    assert_eq!(route("{}", &many).label, "priority:later");
}

#[test]
fn each_target_but_the_last_has_the_timeout() {
    let timeouts = |models: &[Candidate]| -> Vec<_> {
        route(r#"{"timeout_ms":250}"#, models).targets.iter().map(|target| target.timeout_ms).collect()
    };
    assert_eq!(timeouts(&models()), [Some(250), Some(250), Some(250), None]);
    assert_eq!(timeouts(&models()[..1]), [None]);
}

#[test]
fn models_that_the_budget_cannot_pay_are_left_out() {
    let models = [candidate("a/dear", 10.0, 10.0), candidate("b/cheap", 1.0, 1.0)];
    let with = |left| {
        let request = Request { budget_left: Some(left), ..request() };
        Gateway::new().route::<Priority>(&request, &models)
    };
    let decision = with(0.001).unwrap();
    assert_eq!((order(&decision), decision.label.as_str()), (vec![1], "priority:2"));
    assert!(matches!(with(1e-9), Err(Refusal::Denied(_))));
}

#[test]
fn invalid_settings_are_reported_by_name() {
    let error = |json: &str| Gateway::new().settings(json).validate::<Priority>().unwrap_err();
    assert_eq!(error(r#"{"order":["a","b","a"]}"#), "setting `order`: \"a\" is listed twice; remove one");
    assert_eq!(error(r#"{"order":[""]}"#), "setting `order`: an empty name matches no model");
    assert!(error(r#"{"order":"a"}"#).starts_with("setting `order`: invalid type"));
    assert!(error(r#"{"max_in_flight":0}"#).contains("1 or more is expected"));
    assert!(error(r#"{"max_first_token_ms":-1}"#).contains("-1 is not a number above 0"));
    assert!(error(r#"{"max_error_rate":50}"#).contains("50 is not in 0..1"));
    assert!(error(r#"{"timeout_ms":0}"#).contains("1 or more is expected"));
    assert!(error(r#"{"models":[]}"#).contains("expected one of `order`"));
}

proptest! {
    #[test]
    fn every_affordable_model_is_a_target_once_and_none_goes_before_a_better_one(
        facts in prop::collection::vec((any::<bool>(), 0_u32..20, 0.0..1600.0, 0.0..1.0), 1..12)
    ) {
        let ids = ["a/large", "a/small", "b/medium", "c/other"];
        let models: Vec<Candidate> = facts.iter().enumerate().map(|(index, &(healthy, in_flight, ms, error_rate))| {
            let model = candidate(ids[index % ids.len()], 1.0, 1.0);
            Candidate { healthy, in_flight, first_token_ms: Some(ms), error_rate, ..model }
        }).collect();
        let order = order(&route(ORDER, &models));
        let mut sorted = order.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..models.len() as u32).collect::<Vec<_>>());
        let fine = |&index: &u32| {
            let model = &models[index as usize];
            model.healthy && model.in_flight < 10 && model.first_token_ms <= Some(800.0) && model.error_rate <= 0.5
        };
        prop_assert!(order.iter().map(fine).is_sorted_by_key(|fine| !fine));
    }
}
