use pointsman_sdk::testkit::{Gateway, candidate, request};
use proptest::prelude::*;

use super::*;

const LOAD: &str = r#"{"balance":"load"}"#;

fn models(in_flight: &[u32]) -> Vec<Candidate> {
    let model = |(number, &in_flight)| Candidate { in_flight, ..candidate(&format!("a/{number}"), 1.0, 1.0) };
    in_flight.iter().enumerate().map(model).collect()
}

fn route(settings: &str, id: u64, models: &[Candidate]) -> Decision {
    let request = Request { id: format!("01937c2a-0000-7000-8000-{id:012x}"), ..request() };
    Gateway::new().settings(settings).route::<RoundRobin>(&request, models).unwrap()
}

fn order(decision: &Decision) -> Vec<u32> {
    decision.targets.iter().map(|target| target.candidate).collect()
}

#[test]
fn requests_are_spread_evenly_and_so_are_the_fallbacks() {
    let models = models(&[9, 0, 0, 4]);
    let mut counts = [[0; 4]; 4];
    for id in 0..20_000 {
        let decision = route("{}", id, &models);
        assert_eq!((decision.label.as_str(), decision.propensity), ("round-robin", Some(0.25)));
        for (place, index) in order(&decision).into_iter().enumerate() {
            counts[place][index as usize] += 1;
        }
    }
    // Four standard deviations of a fair draw.
    assert!(counts.iter().flatten().all(|count| (4_755..5_245).contains(count)), "{counts:?}");
}

#[test]
fn by_load_the_least_busy_is_first_and_equals_are_drawn() {
    let models = models(&[2, 1, 7, 1]);
    let mut firsts = [0; 4];
    for id in 0..2_000 {
        let decision = route(LOAD, id, &models);
        let order = order(&decision);
        assert_eq!((&order[2..], decision.propensity), (&[0, 2][..], Some(0.5)));
        firsts[order[0] as usize] += 1;
        let reason = format!("a/{}, one of 2 with 1 calls in flight", order[0]);
        assert_eq!((decision.label.as_str(), decision.reason), ("round-robin:least-busy", Some(reason)));
    }
    assert!((900..1_100).contains(&firsts[1]) && firsts[1] + firsts[3] == 2_000, "{firsts:?}");
}

#[test]
fn unhealthy_models_are_last_and_not_part_of_the_draw() {
    let mut models = models(&[0, 0, 0]);
    models[1].healthy = false;
    for id in 0..50 {
        let decision = route("{}", id, &models);
        assert_eq!((order(&decision)[2], decision.propensity), (1, Some(0.5)));
    }
}

#[test]
fn models_that_the_budget_cannot_pay_are_left_out() {
    let models = [candidate("a/dear", 10.0, 10.0), candidate("b/cheap", 1.0, 1.0)];
    let request = Request { budget_left: Some(0.001), ..request() };
    let decision = Gateway::new().route::<RoundRobin>(&request, &models).unwrap();
    assert_eq!((order(&decision), decision.propensity), (vec![1], Some(1.0)));
}

#[test]
fn an_id_always_gets_the_same_order() {
    let models = models(&[0; 9]);
    assert_eq!(route("{}", 7, &models), route("{}", 7, &models));
}

#[test]
fn invalid_settings_are_reported_by_name() {
    let error = |json: &str| Gateway::new().settings(json).validate::<RoundRobin>().unwrap_err();
    assert!(error(r#"{"balance":"cost"}"#).starts_with("setting `balance`: unknown variant `cost`"));
    assert!(error(r#"{"weights":{}}"#).contains("expected `balance`"));
}

proptest! {
    #[test]
    fn the_propensities_of_all_models_sum_to_one(
        in_flight in prop::collection::vec(0_u32..4, 1..8), by_load: bool
    ) {
        let models = models(&in_flight);
        let mut propensities = vec![None; models.len()];
        for id in 0..500 {
            let decision = route(if by_load { LOAD } else { "{}" }, id, &models);
            prop_assert_eq!(decision.targets.len(), models.len());
            propensities[decision.targets[0].candidate as usize] = decision.propensity;
        }
        let sum: f64 = propensities.into_iter().flatten().sum();
        prop_assert!((sum - 1.0).abs() < 1e-9, "{}", sum);
    }
}
