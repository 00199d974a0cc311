use std::time::Duration;

use pointsman_domain::history::PlanRun;
use pointsman_domain::outcome::RequestEnd;

use super::*;
use crate::sample::history;

fn end_all(recent: &RecentRequests, ended: std::ops::Range<u64>) {
    ended.for_each(|at| end(recent, history(at + 1_000, "m", RequestEnd::Answered), spaced(at)));
}

fn end(recent: &RecentRequests, history: History, now: Instant) {
    if recent.admits(&history, now) {
        recent.add(Arc::new(history));
    }
}

/// Returns times so far apart that all requests are kept.
fn spaced(number: u64) -> Instant {
    Instant::now() + Duration::from_secs(number)
}

fn ids(histories: &[Arc<History>]) -> Vec<&str> {
    histories.iter().map(|history| history.outcome.id.as_str()).collect()
}

#[test]
fn the_newest_are_kept_and_found_by_id() {
    let recent = RecentRequests::default();
    end_all(&recent, 0..CAPACITY as u64 + 1);
    assert!(recent.get("id-1000").is_none(), "the oldest is evicted");
    assert!(recent.get("id-1001").is_some());
    assert_eq!(ids(&recent.newest(2, |_| true)), ["id-2000", "id-1999"]);
    assert_eq!(ids(&recent.newest(9, |history| history.outcome.id == "id-1500")), ["id-1500"]);
}

#[test]
fn a_plan_outlives_the_requests_after_it() {
    let recent = RecentRequests::default();
    let plan = History { plan: Some(PlanRun::default()), ..history(1, "m", RequestEnd::Answered) };
    end(&recent, plan, Instant::now());
    end_all(&recent, 0..CAPACITY as u64);
    assert!(recent.newest(CAPACITY, |history| history.plan.is_some()).is_empty());
    assert!(recent.get("id-1").is_some());
    assert_eq!(ids(&recent.newest_plans(5)), ["id-1"]);
}

#[test]
fn an_update_has_the_new_requests_up_to_its_limit() {
    let recent = RecentRequests::default();
    end_all(&recent, 0..3);
    let first = recent.since(0, 10);
    assert_eq!((ids(&first.histories), first.count), (vec!["id-1000", "id-1001", "id-1002"], 3));
    assert!(recent.since(first.count, 10).histories.is_empty());
    end_all(&recent, 3..6);
    assert_eq!(ids(&recent.since(first.count, 2).histories), ["id-1004", "id-1005"]);
}

#[test]
fn notable_requests_are_kept_under_load() {
    let (recent, now) = (RecentRequests::default(), Instant::now());
    for number in 0..3 * CAPACITY as u64 {
        end(&recent, history(number, "m", RequestEnd::Answered), now);
    }
    assert!(recent.get("id-0").is_some() && recent.get("id-2999").is_none());
    let with_retry = |mut history: History| {
        history.calls.push(history.calls[0].clone());
        history
    };
    end(&recent, history(3_000, "m", RequestEnd::Failed), now);
    end(&recent, with_retry(history(3_001, "m", RequestEnd::Answered)), now);
    end(&recent, history(3_002, "m", RequestEnd::Answered), now);
    assert_eq!(ids(&recent.newest(3, |_| true)), ["id-3001", "id-3000", "id-999"]);
}
