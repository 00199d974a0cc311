use std::sync::Arc;

use super::*;

fn expected() -> ExpectedSpeed {
    ExpectedSpeed { first_token_ms: Some(25.0), tokens_per_second: Some(100.0) }
}

#[test]
fn expectations_hold_until_something_was_measured() {
    let (stats, now) = (LiveStats::default(), Instant::now());
    assert_eq!(stats.snapshot(&expected(), now).first_token_ms, Some(25.0));
    stats.record_stream(now, 101, Duration::from_millis(80), Duration::from_secs(2));
    let measured = stats.snapshot(&expected(), now);
    assert_eq!((measured.first_token_ms, measured.tokens_per_second), (Some(80.0), Some(50.0)));
}

#[test]
fn a_single_token_says_nothing_about_speed() {
    let (stats, now) = (LiveStats::default(), Instant::now());
    stats.record_stream(now, 1, Duration::ZERO, Duration::from_secs(1));
    stats.record_stream(now, 500, Duration::ZERO, Duration::ZERO);
    assert_eq!(stats.snapshot(&ExpectedSpeed::default(), now).tokens_per_second, None);
}

#[test]
fn a_whole_answer_is_split_into_first_token_and_generation() {
    let now = Instant::now();
    let measured = |expected: ExpectedSpeed, tokens| {
        let stats = LiveStats::default();
        stats.record_whole_answer(&expected, now, tokens, Duration::from_secs(1));
        let snapshot = stats.snapshot(&expected, now);
        (snapshot.first_token_ms, snapshot.tokens_per_second)
    };
    let known = ExpectedSpeed { first_token_ms: Some(500.0), tokens_per_second: None };
    assert_eq!(measured(known, 101), (Some(500.0), Some(200.0)));
    assert_eq!(measured(ExpectedSpeed::default(), 81), (Some(200.0), Some(100.0)));
    assert_eq!(measured(ExpectedSpeed::default(), 1), (Some(1000.0), None));
}

#[test]
fn calls_are_in_flight_until_their_guard_is_dropped() {
    let stats = Arc::new(LiveStats::default());
    let in_flight = |stats: &LiveStats| stats.snapshot(&expected(), Instant::now()).in_flight;
    let (first, second) = (stats.track_call(), stats.track_call());
    assert_eq!(in_flight(&stats), 2);
    drop((first, second));
    assert_eq!(in_flight(&stats), 0);
}

#[test]
fn three_failures_in_a_row_are_unhealthy_until_the_cool_down_ends() {
    let (stats, now) = (LiveStats::default(), Instant::now());
    let healthy = |at| stats.snapshot(&expected(), at).healthy;
    stats.record_failure(now);
    stats.record_failure(now);
    assert!(healthy(now));
    stats.record_failure(now);
    assert!(!healthy(now));
    assert!(healthy(now + FIRST_COOL_DOWN));
    stats.record_failure(now + FIRST_COOL_DOWN);
    assert!(!healthy(now + 2 * FIRST_COOL_DOWN), "a relapse is left out for longer");
    assert!(healthy(now + 3 * FIRST_COOL_DOWN));
}

#[test]
fn one_success_or_probe_makes_a_model_healthy_again() {
    let (stats, now) = (LiveStats::default(), Instant::now());
    for recover in [
        |s: &LiveStats, now| s.record_stream(now, 0, Duration::ZERO, Duration::ZERO),
        |s: &LiveStats, _| s.record_probe_success(),
    ] {
        (0..3).for_each(|_| stats.record_probe_failure(now));
        assert!(!stats.snapshot(&expected(), now).healthy);
        recover(&stats, now);
        assert!(stats.snapshot(&expected(), now).healthy);
    }
}

#[test]
fn an_idle_models_error_rate_fades() {
    let (stats, now) = (LiveStats::default(), Instant::now());
    stats.record_failure(now);
    let rate = |at| stats.snapshot(&expected(), at).error_rate;
    assert!((rate(now) - 0.1).abs() < 1e-9);
    assert!((rate(now + ERROR_HALF_LIFE) - 0.05).abs() < 1e-9);
}

#[test]
fn retries_in_flight_keep_to_the_budget_and_denials_are_counted() {
    let stats = Arc::new(LiveStats::default());
    let budget = RetryBudget { share: 0.2, minimum: 1 };
    let first = stats.acquire_retry(budget).expect("the minimum is allowed without any call");
    assert!(stats.acquire_retry(budget).is_none());
    let calls: Vec<_> = (0..10).map(|_| stats.track_call()).collect();
    let second = stats.acquire_retry(budget).expect("2 of 10 calls");
    assert!(stats.acquire_retry(budget).is_none());
    drop(second);
    assert!(stats.acquire_retry(budget).is_some());
    drop((first, calls));
    assert_eq!(stats.retries_denied(), 2);
}

#[test]
fn a_budget_is_a_share_of_the_calls_but_at_least_the_minimum() {
    let limit = |share, minimum, calls| RetryBudget { share, minimum }.limit(calls);
    assert_eq!([limit(0.2, 3, 0), limit(0.2, 3, 15), limit(0.2, 3, 100)], [3, 3, 20]);
    assert_eq!([limit(0.0, 0, 1_000), limit(1.0, 0, 7)], [0, 7]);
}
