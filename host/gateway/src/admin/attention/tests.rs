use std::collections::BTreeMap;

use pointsman_admin_api::{HoldStatus, ModelOverview, PolicyReload, RejectedVersion, ReloadReport};
use pointsman_domain::outcome::FailureCounts;

use super::*;

const NOW_MS: u64 = 1_000_000_000;

fn minute(requests: u64, client: u64, model: u64, policy: u64) -> MinuteSums {
    MinuteSums { requests, failed: FailureCauses { client, model, policy, limit: 0 } }
}

fn of_minute(minute: &MinuteSums) -> Vec<AttentionEntry> {
    entries(&GatewayStatus::default(), minute, &[])
}

fn second(
    ago_ms: u64,
    requests: u64,
    failed_by: FailureCounts,
    rejected_by: FailureCounts,
) -> IntervalTotals {
    let at_ms = NOW_MS - ago_ms;
    IntervalTotals {
        at_ms,
        requests,
        failed_by,
        rejected_by,
        models: BTreeMap::new(),
        ..IntervalTotals::default()
    }
}

#[test]
fn failures_count_over_the_last_minute_with_rejections_by_cause() {
    let model = FailureCounts { model: 2, ..FailureCounts::default() };
    let limit = FailureCounts { limit: 3, client: 1, ..FailureCounts::default() };
    let none = FailureCounts::default();
    let seconds =
        [second(61_000, 50, model, none), second(59_000, 10, model, none), second(1_000, 20, none, limit)];
    let sums = MinuteSums::of(&seconds, NOW_MS);
    assert_eq!(sums.requests, 34);
    assert_eq!(sums.failed, FailureCauses { client: 1, model: 2, policy: 0, limit: 3 });
}

#[test]
fn the_thresholds_of_failures_are_one_and_five_per_cent_of_at_least_twenty_requests() {
    let level = |minute: MinuteSums| of_minute(&minute).first().map(|entry| entry.level);
    assert_eq!(level(minute(19, 0, 19, 0)), None);
    assert_eq!(level(minute(20, 0, 1, 0)), Some(AttentionLevel::Red));
    assert_eq!(level(minute(1_000, 0, 9, 0)), None);
    assert_eq!(level(minute(1_000, 0, 10, 0)), Some(AttentionLevel::Amber));
    assert_eq!(level(minute(1_000, 0, 30, 20)), Some(AttentionLevel::Red));
    assert_eq!(level(minute(1_000, 1_000, 0, 0)), None, "clients' own failures need no operator");
    let [entry] = &of_minute(&minute(200, 20, 13, 7))[..] else { panic!("one entry") };
    assert_eq!(
        entry.message,
        "10 % of 200 requests failed in the last minute: models 6.5 %, policies 3.5 %; not counted: 10 % by clients"
    );
}

#[test]
fn each_condition_is_an_entry_and_urgent_ones_come_first() {
    let model = |status: ModelStatus| ModelOverview { status, ..ModelOverview::default() };
    let resting = ModelStatus { id: "a/m".to_owned(), resting_since_ms: Some(5), ..ModelStatus::default() };
    let down = ModelStatus { id: "b/m".to_owned(), down_since_ms: Some(7), ..ModelStatus::default() };
    let rejected = |error: &str| Some(RejectedVersion { digest: None, error: error.to_owned(), at: 3 });
    let hold = |until| HoldStatus {
        digest: "ab".repeat(32),
        in_force: true,
        strikes: 1,
        since: 4,
        until,
        why: "it failed".to_owned(),
    };
    let policy = |name: &str| PolicyStatus { name: name.to_owned(), loaded: true, ..PolicyStatus::default() };
    let status = GatewayStatus {
        models: vec![model(resting), model(down), model(ModelStatus::default())],
        policies: vec![
            PolicyStatus { rejected: rejected("no `decide`"), ..policy("old") },
            PolicyStatus { rejected: rejected("no file"), loaded: false, ..policy("new") },
            PolicyStatus { holds: vec![hold(Some(9)), hold(None)], ..policy("held") },
        ],
        last_reload: Some(ReloadReport {
            cause: "file".to_owned(),
            at: 2,
            config: ConfigResult::Rejected("error: line 3\n  | x".to_owned()),
            policies: Vec::<PolicyReload>::new(),
        }),
        ..GatewayStatus::default()
    };
    let loss = |kind| RecentLoss { kind, count: 2, last_ms: 8 };
    let entries = entries(&status, &MinuteSums::default(), &[loss(LossKind::Log), loss(LossKind::Panic)]);
    let kinds: Vec<&AttentionKind> = entries.iter().map(|entry| &entry.kind).collect();
    use AttentionKind::*;
    assert_eq!(
        kinds,
        [
            &ModelDown,
            &ConfigurationRejected,
            &PolicyUnavailable,
            &Panic,
            &ModelResting,
            &PolicyRejected,
            &VersionHeld,
            &VersionHeld,
            &Dropped
        ]
    );
    let red = entries.iter().filter(|entry| entry.level == AttentionLevel::Red).count();
    assert_eq!(red, 4);
    let since: Vec<Option<u64>> = entries.iter().map(|entry| entry.since_ms).collect();
    assert_eq!(since[..5], [Some(7), Some(2_000), Some(3_000), Some(8), Some(5)]);
    assert_eq!(
        entries[1].message,
        "the configuration was rejected, and the one before is in force: error: line 3"
    );
    assert!(entries[1].detail.as_ref().is_some_and(|detail| detail.ends_with("line 3\n  | x")));
    assert_eq!(entries[0].detail, None);
    assert_eq!(entries[0].subject.as_ref().map(AttentionSubject::name), Some("b/m"));
    assert!(entries[7].message.contains("is quarantined until an operator releases it: it failed"));
    assert_eq!(entries[8].subject, Some(AttentionSubject::Queue("log".to_owned())));
}

#[test]
fn a_message_is_bounded() {
    let status = GatewayStatus {
        last_reload: Some(ReloadReport {
            cause: "file".to_owned(),
            at: 2,
            config: ConfigResult::Rejected("ü".repeat(10_000)),
            policies: Vec::new(),
        }),
        ..GatewayStatus::default()
    };
    let [entry] = &entries(&status, &MinuteSums::default(), &[])[..] else { panic!("one entry") };
    assert!(entry.message.len() <= MAX_MESSAGE && entry.message.len() > MAX_MESSAGE - 2);
}
