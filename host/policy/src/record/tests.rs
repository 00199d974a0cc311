use std::future::ready;

use pointsman_domain::ids::ModelId;
use pointsman_domain::usage::Usage;

use super::*;

fn outcome(ending: RequestEnd, cost: f64, latency: Duration) -> Outcome {
    Outcome {
        id: "id".to_owned(),
        label: "label".to_owned(),
        ending,
        model: Some(ModelId::new("a/b")),
        attempts: 1,
        usage: Usage::default(),
        cost: Picodollars::from_usd(cost),
        first_token: None,
        latency,
        error: None,
        fault: None,
    }
}

/// Whether it was rung since the last time.
async fn has_rung(alarm: &Alarm) -> bool {
    tokio::select! {
        biased;
        () = alarm.rung() => true,
        () = ready(()) => false,
    }
}

#[test]
fn a_record_tells_counts_times_and_means() {
    let record = Record::new(&Alarm::default());
    for _ in 0..98 {
        record.decided(Duration::from_micros(10), None);
    }
    record.decided(Duration::from_millis(20), Some(&PolicyFailure::Deadline));
    record.decided(Duration::from_millis(20), Some(&PolicyFailure::Saturated));
    record.ended(&outcome(RequestEnd::Answered, 0.02, Duration::from_millis(40)));
    record.ended(&outcome(RequestEnd::Answered, 0.04, Duration::from_millis(60)));
    record.ended(&outcome(RequestEnd::Failed, 0.0, Duration::from_millis(1)));
    record.ended(&outcome(RequestEnd::Cancelled, 0.0, Duration::from_millis(1)));

    let tally = record.tally();
    assert_eq!((tally.decisions, tally.failures, tally.requests, tally.errors), (100, 1, 3, 1));
    let status = record.status();
    assert_eq!(status.failures, [("deadline", 1), ("saturated", 1)]);
    let near = |value: Option<f64>, expected: f64| (value.unwrap() / expected - 1.0).abs() < 0.13;
    assert!(near(status.decision_us_p50, 10.0), "{status:?}");
    assert!(near(status.decision_us_p99, 20_000.0), "{status:?}");
    assert_eq!((status.mean_cost_usd, status.mean_latency_ms), (Some(0.03), Some(50.0)));
}

#[test]
fn an_empty_record_has_no_means() {
    let record = Record::new(&Alarm::default());
    assert_eq!(record.status(), RecordStatus::default());
    assert_eq!(record.tally(), VersionCounts::default());
}

#[tokio::test]
async fn the_alarm_rings_for_what_may_be_a_breach_and_every_64_decisions() {
    let alarm = Alarm::default();
    let record = Record::new(&alarm);
    for _ in 0..63 {
        record.decided(Duration::from_micros(10), None);
        assert!(!has_rung(&alarm).await);
    }
    record.decided(Duration::from_micros(10), None);
    assert!(has_rung(&alarm).await);
    record.decided(Duration::ZERO, Some(&PolicyFailure::Saturated));
    assert!(!has_rung(&alarm).await, "nobody's fault");
    record.decided(Duration::ZERO, Some(&PolicyFailure::Memory));
    assert!(has_rung(&alarm).await);
    record.ended(&outcome(RequestEnd::Answered, 0.0, Duration::ZERO));
    assert!(!has_rung(&alarm).await);
    record.ended(&outcome(RequestEnd::Failed, 0.0, Duration::ZERO));
    assert!(has_rung(&alarm).await);
}

#[test]
fn a_time_beyond_all_measure_is_counted_as_a_decision() {
    let record = Record::new(&Alarm::default());
    record.decided(Duration::MAX, None);
    assert_eq!(record.tally().decisions, 1);
}
