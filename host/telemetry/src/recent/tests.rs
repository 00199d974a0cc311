use std::time::Duration;

use pointsman_domain::history::PlanRun;
use pointsman_domain::outcome::RequestEnd;

use super::*;
use crate::sample::history;

fn keep(recent: &Recent, ended: std::ops::Range<u64>) {
    ended.for_each(|at| end(recent, history(at + 1_000, "m", RequestEnd::Answered), now_and_then(at)));
}

fn end(recent: &Recent, history: History, now: Instant) {
    if recent.wants(&history, now) {
        recent.keep(Arc::new(history));
    }
}

/// Slowly enough that all are kept.
fn now_and_then(number: u64) -> Instant {
    Instant::now() + Duration::from_secs(number)
}

fn ids(histories: &[Arc<History>]) -> Vec<&str> {
    histories.iter().map(|history| history.outcome.id.as_str()).collect()
}

#[test]
fn the_newest_are_kept_and_found_by_id() {
    let recent = Recent::default();
    keep(&recent, 0..KEPT as u64 + 1);
    assert!(recent.get("id-1000").is_none(), "the oldest made room");
    assert!(recent.get("id-1001").is_some());
    assert_eq!(ids(&recent.newest(2, |_| true)), ["id-2000", "id-1999"]);
    assert_eq!(ids(&recent.newest(9, |history| history.outcome.id == "id-1500")), ["id-1500"]);
}

#[test]
fn a_plan_outlives_the_requests_after_it() {
    let recent = Recent::default();
    let plan = History { plan: Some(PlanRun::default()), ..history(1, "m", RequestEnd::Answered) };
    end(&recent, plan, Instant::now());
    keep(&recent, 0..KEPT as u64);
    assert!(recent.newest(KEPT, |history| history.plan.is_some()).is_empty());
    assert!(recent.get("id-1").is_some());
    assert_eq!(ids(&recent.newest_plans(5)), ["id-1"]);
}

#[test]
fn whoever_asks_again_gets_what_is_new_but_no_more_than_they_want() {
    let recent = Recent::default();
    keep(&recent, 0..3);
    let first = recent.since(0, 10);
    assert_eq!((ids(&first.histories), first.count), (vec!["id-1000", "id-1001", "id-1002"], 3));
    assert!(recent.since(first.count, 10).histories.is_empty());
    keep(&recent, 3..6);
    assert_eq!(ids(&recent.since(first.count, 2).histories), ["id-1004", "id-1005"]);
}

#[test]
fn where_too_many_end_what_went_unusually_is_still_kept() {
    let (recent, now) = (Recent::default(), Instant::now());
    for number in 0..3 * KEPT as u64 {
        end(&recent, history(number, "m", RequestEnd::Answered), now);
    }
    assert!(recent.get("id-0").is_some() && recent.get("id-2999").is_none());
    let again = |mut history: History| {
        history.calls.push(history.calls[0].clone());
        history
    };
    end(&recent, history(3_000, "m", RequestEnd::Failed), now);
    end(&recent, again(history(3_001, "m", RequestEnd::Answered)), now);
    end(&recent, history(3_002, "m", RequestEnd::Answered), now);
    assert_eq!(ids(&recent.newest(3, |_| true)), ["id-3001", "id-3000", "id-999"]);
}
