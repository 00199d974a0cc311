use super::*;
use crate::testkit::{candidate, request};

#[test]
fn the_clients_limit_bounds_the_expected_answer() {
    assert_eq!(output_tokens(&request()), 256.0);
    assert_eq!(output_tokens(&Request { max_output_tokens: Some(20), ..request() }), 20.0);
    assert_eq!(output_tokens(&Request { max_output_tokens: Some(8000), ..request() }), 256.0);
    assert_eq!(output_tokens(&Request { needs: Abilities::REASONING, ..request() }), 1024.0);
}

#[test]
fn cost_is_tokens_times_price() {
    let model = candidate("a/b", 0.5, 1.5);
    assert_eq!(cost_usd(&model, 1_000_000.0, 2_000_000.0), 3.5);
}

#[test]
fn load_and_failures_stretch_the_time() {
    let idle = Candidate {
        first_token_ms: Some(200.0),
        tokens_per_second: Some(50.0),
        ..candidate("a/b", 1.0, 1.0)
    };
    assert_eq!(unloaded_ms(&idle, 100.0), Some(2200.0));
    let busy = Candidate { in_flight: 16, error_rate: 0.5, ..idle };
    assert_eq!(last_token_ms(&busy, 100.0, 16.0), Some(8800.0));
}

#[test]
fn a_time_that_cannot_be_known_is_none_and_no_time_is_infinite() {
    let unknown = candidate("a/b", 1.0, 1.0);
    assert_eq!(unloaded_ms(&unknown, 100.0), None);
    let stuck = Candidate { first_token_ms: Some(1.0), tokens_per_second: Some(0.0), ..unknown.clone() };
    assert_eq!(unloaded_ms(&stuck, 100.0), None);
    let broken =
        Candidate { first_token_ms: Some(1.0), tokens_per_second: Some(1.0), error_rate: 1.0, ..unknown };
    assert!(last_token_ms(&broken, 1.0, 0.0).is_some_and(f64::is_finite));
}

#[test]
fn an_unknown_speed_counts_as_the_mean_of_the_known_ones() {
    let model =
        |ms| Candidate { first_token_ms: ms, tokens_per_second: Some(1e9), ..candidate("a/b", 1.0, 1.0) };
    let times = last_tokens_ms(&[model(Some(100.0)), model(None), model(Some(300.0))], 0.0, 16.0);
    assert_eq!(times, Some(vec![100.0, 200.0, 300.0]));
    assert_eq!(last_tokens_ms(&[model(None)], 0.0, 16.0), None);
}

#[test]
fn dollars_are_formatted_in_whole_millionths() {
    let texts = [0.000_356_4, 12.5, 0.0, -1.0, f64::NAN, 1e-9].map(|usd| dollars(usd).to_string());
    assert_eq!(texts, ["$0.000356", "$12.500000", "$0.000000", "$0.000000", "$0.000000", "$0.000000"]);
}
