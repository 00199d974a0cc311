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

async fn has_notified(notifier: &ChangeNotifier) -> bool {
    tokio::select! {
        biased;
        () = notifier.changed() => true,
        () = ready(()) => false,
    }
}

#[test]
fn statistics_have_counts_times_and_means() {
    let stats = PolicyStats::new(&ChangeNotifier::default());
    for _ in 0..98 {
        stats.record_decision(Duration::from_micros(10), None);
    }
    stats.record_decision(Duration::from_millis(20), Some(&PolicyFailure::Deadline));
    stats.record_decision(Duration::from_millis(20), Some(&PolicyFailure::Saturated));
    stats.record_outcome(&outcome(RequestEnd::Answered, 0.02, Duration::from_millis(40)));
    stats.record_outcome(&outcome(RequestEnd::Answered, 0.04, Duration::from_millis(60)));
    stats.record_outcome(&outcome(RequestEnd::Failed, 0.0, Duration::from_millis(1)));
    stats.record_outcome(&outcome(RequestEnd::Cancelled, 0.0, Duration::from_millis(1)));

    let tally = stats.tally();
    assert_eq!((tally.decisions, tally.failures, tally.requests, tally.errors), (100, 1, 3, 1));
    let summary = stats.summary();
    assert_eq!(summary.failures, [("deadline", 1), ("saturated", 1)]);
    let near = |value: Option<f64>, expected: f64| (value.unwrap() / expected - 1.0).abs() < 0.13;
    assert!(near(summary.decision_us_p50, 10.0), "{summary:?}");
    assert!(near(summary.decision_us_p99, 20_000.0), "{summary:?}");
    assert_eq!((summary.mean_cost_usd, summary.mean_latency_ms), (Some(0.03), Some(50.0)));
}

#[test]
fn empty_statistics_have_no_means() {
    let stats = PolicyStats::new(&ChangeNotifier::default());
    assert_eq!(stats.summary(), PolicyStatsSummary::default());
    assert_eq!(stats.tally(), VersionCounts::default());
}

#[tokio::test]
async fn failures_and_every_64th_decision_notify_of_a_change() {
    let notifier = ChangeNotifier::default();
    let stats = PolicyStats::new(&notifier);
    for _ in 0..63 {
        stats.record_decision(Duration::from_micros(10), None);
        assert!(!has_notified(&notifier).await);
    }
    stats.record_decision(Duration::from_micros(10), None);
    assert!(has_notified(&notifier).await);
    stats.record_decision(Duration::ZERO, Some(&PolicyFailure::Saturated));
    assert!(!has_notified(&notifier).await, "nobody's fault");
    stats.record_decision(Duration::ZERO, Some(&PolicyFailure::Memory));
    assert!(has_notified(&notifier).await);
    stats.record_outcome(&outcome(RequestEnd::Answered, 0.0, Duration::ZERO));
    assert!(!has_notified(&notifier).await);
    stats.record_outcome(&outcome(RequestEnd::Failed, 0.0, Duration::ZERO));
    assert!(has_notified(&notifier).await);
}

#[test]
fn a_time_beyond_the_last_bucket_is_counted_as_a_decision() {
    let stats = PolicyStats::new(&ChangeNotifier::default());
    stats.record_decision(Duration::MAX, None);
    assert_eq!(stats.tally().decisions, 1);
}

#[test]
fn failures_are_counted_under_their_own_reason() {
    let counts = DecisionCounts::default();
    counts.record_failure(&PolicyFailure::Memory);
    counts.record_failure(&PolicyFailure::Busy);
    counts.record_failure(&PolicyFailure::Starved);
    assert_eq!(counts.failures(), [("deadline", 1), ("memory", 1), ("busy", 1)]);
    for (index, reason) in FailureReason::ALL.into_iter().enumerate() {
        assert_eq!(reason as usize, index, "{reason:?}");
    }
}
