use serde_json::json;

use super::*;
use crate::top::sample::{self, NOW_MS};

#[test]
fn current_rates_are_means_of_completed_seconds() {
    let mut overview = sample::overview();
    let second = |back: u64, answered: u64, p95: f64| {
        json!({
            "at_ms": NOW_MS - 500 - back * 1_000, "requests": answered + 1, "answered": answered, "failed": 1,
            "cost_usd": 0.5, "latency_ms_p50": 100.0, "latency_ms_p95": p95,
        })
    };
    // The growing second is not complete, and the first one is older than a minute.
    overview["timeline"]["points"] = json!([
        second(61, 9, 9e9),
        second(30, 7, 9e9),
        second(10, 3, 800.0),
        second(1, 1, 400.0),
        second(0, 9, 9e9)
    ]);
    let mut state = sample::state();
    state.apply(sample::updated(overview.clone(), json!([])), NOW_MS);
    let rates = state.current_rates();
    assert_eq!(rates.requests_per_second, 0.6);
    assert_eq!(rates.answered_share, Some(11.0 / 14.0));
    assert_eq!((rates.latency_ms_p50, rates.latency_ms_p95), (Some(100.0), Some(700.0)));
    assert_eq!(rates.cost_per_minute, 1.5);

    overview["started_ms"] = (NOW_MS - 2_500).into();
    overview["timeline"]["points"] = json!([second(1, 1, 400.0)]);
    state.apply(sample::updated(overview, json!([])), NOW_MS);
    assert_eq!(
        state.current_rates().requests_per_second,
        1.0,
        "a gateway that has just begun was not idle before"
    );
    assert_eq!(TopState::new(String::new()).current_rates(), CurrentRates::default());
}

#[test]
fn seconds_without_requests_are_included() {
    let state = sample::state();
    let counts: Vec<u64> = state.seconds().take(4).map(|point| point.requests).collect();
    assert_eq!(counts, [0, 4, 0, 6]);
}

#[test]
fn a_selected_decision_stays_selected_when_newer_ones_arrive() {
    let mut state = sample::state();
    state.view = View::Decisions;
    assert_eq!(state.selected_key().as_deref(), Some("id-1"));
    state.move_selection(1);
    assert_eq!(state.selected_key().as_deref(), Some("id-2"));
    let mut decisions = sample::decisions().as_array().expect("a list").clone();
    let mut newer = decisions[0].clone();
    newer["id"] = "id-0".into();
    decisions.insert(0, newer);
    state.apply(sample::updated(sample::overview(), decisions.into()), NOW_MS);
    assert_eq!(state.selected_key().as_deref(), Some("id-2"));
    state.move_selection(-2);
    assert_eq!(state.selected_key().as_deref(), Some("id-0"));
    state.move_selection(isize::MAX);
    assert_eq!(state.selected_key().as_deref(), Some("id-4"));
}

#[test]
fn a_paused_display_keeps_its_data() {
    let mut state = sample::state();
    state.paused = true;
    state.apply(sample::updated(sample::overview(), json!([])), NOW_MS);
    assert_eq!(state.decisions.len(), 4);
    state.paused = false;
    state.apply(sample::updated(sample::overview(), json!([])), NOW_MS);
    assert_eq!(state.decisions.len(), 0);
}

#[test]
fn a_late_record_opens_nothing() {
    let mut state = sample::state();
    state.opened = Some(OpenDecision { id: "id-2".to_owned(), record: RecordState::Loading, scroll: 0 });
    state.apply(sample::opened(sample::record()), NOW_MS);
    assert!(state.opened.is_some_and(|opened| matches!(opened.record, RecordState::Loading)));
}
