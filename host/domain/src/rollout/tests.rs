use proptest::prelude::*;

use super::*;

fn decisions(failures: u64, decisions: u64) -> VersionCounts {
    VersionCounts { decisions, failures, ..VersionCounts::default() }
}

fn judge(new: VersionCounts, old: VersionCounts) -> Option<Breach> {
    Thresholds::default().judge(&new, &old)
}

#[test]
fn a_version_that_always_fails_is_detected_at_its_second_failure() {
    assert_eq!(judge(decisions(1, 1), decisions(0, 1_000)), None, "anything may fail once");
    let breach = judge(decisions(2, 2), decisions(0, 1_000)).expect("twice is enough");
    assert_eq!(breach.to_string(), "100.0 % of its 2 decisions failed, before it 0.0 %");
}

#[test]
fn a_rate_counts_by_the_lower_end_of_its_interval() {
    assert_eq!(judge(decisions(8, 100), decisions(0, 1_000)), None, "8 % of 100 may well be 4 %");
    assert!(judge(decisions(80, 1_000), decisions(0, 1_000)).is_some(), "8 % of 1,000 is over 5 %");
    assert_eq!(judge(decisions(80, 1_000), decisions(40, 1_000)), None, "the old one fails too");
}

#[test]
fn requests_without_an_answer_are_compared_likewise() {
    let requests = |errors, requests| VersionCounts { requests, errors, ..VersionCounts::default() };
    let breach = judge(requests(30, 100), requests(1, 1_000)).expect("30 % after 0.1 %");
    assert_eq!(breach.to_string(), "30.0 % of its 100 requests got no answer, before it 0.1 %");
    assert_eq!(judge(requests(30, 100), requests(290, 1_000)), None, "the backends are to blame");
}

/// Counts with a number of decisions for each decision time in milliseconds.
fn taking(times: &[(f64, u64)]) -> VersionCounts {
    let decision_times: Vec<_> =
        times.iter().map(|(ms, count)| (Duration::from_secs_f64(ms / 1e3), *count)).collect();
    VersionCounts {
        decisions: times.iter().map(|(_, count)| count).sum(),
        decision_times,
        ..VersionCounts::default()
    }
}

#[test]
fn slow_decisions_count_beyond_a_multiple_of_the_old_percentile() {
    let usual = taking(&[(1.0, 899), (2.0, 100), (50.0, 1)]);
    assert_eq!(usual.p90(), Some(Duration::from_millis(2)));
    let breach = judge(taking(&[(1.0, 80), (15.0, 20)]), usual.clone()).expect("20 % above 8 ms");
    assert_eq!(breach.to_string(), "20.0 % of its 100 decisions took more than 8.0ms");
    assert_eq!(judge(taking(&[(1.0, 88), (15.0, 12)]), usual.clone()), None, "12 of 100 may be chance");
    assert_eq!(judge(taking(&[(1.0, 1_880), (15.0, 120)]), usual.clone()), None, "6 % may be the machine");
    assert_eq!(judge(taking(&[(7.9, 1_000)]), usual), None, "not four times as long");
}

#[test]
fn decisions_of_a_few_milliseconds_are_never_slow() {
    assert_eq!(judge(taking(&[(3.9, 1_000)]), taking(&[(0.01, 1_000)])), None);
    assert!(judge(taking(&[(4.1, 100)]), VersionCounts::default()).is_some(), "nothing to compare with");
}

#[test]
fn holds_double_until_an_operator_has_to_release_them() {
    let backoff = HoldBackoff { first: Duration::from_secs(60), attempts: 3 };
    let first = backoff.hold(None, 1_000, "failed".to_owned());
    assert_eq!((first.strikes, first.until), (1, Some(1_060)));
    assert!(first.is_in_force(1_059) && !first.is_in_force(1_060));
    let second = backoff.hold(Some(&first), 2_000, "failed".to_owned());
    assert_eq!((second.strikes, second.until), (2, Some(2_120)));
    let third = backoff.hold(Some(&second), 3_000, "failed".to_owned());
    assert_eq!((third.strikes, third.until), (3, None));
    assert!(third.is_in_force(u64::MAX));
}

#[test]
fn an_operators_quarantine_has_no_end() {
    let hold = Hold::quarantine(None, 5, "by hand".to_owned());
    assert_eq!((hold.strikes, hold.until, hold.is_in_force(u64::MAX)), (1, None, true));
}

proptest! {
    #[test]
    fn any_counts_can_be_judged(
        counts in proptest::array::uniform8(any::<u64>()),
        times in any::<[[(u32, u32); 3]; 2]>(),
    ) {
        let tally = |at: usize, times: [(u32, u32); 3]| VersionCounts {
            decisions: counts[at],
            failures: counts[at + 1],
            decision_times: times.map(|(us, count)| (Duration::from_micros(us.into()), count.into())).to_vec(),
            requests: counts[at + 2],
            errors: counts[at + 3],
        };
        let _ = judge(tally(0, times[0]), tally(4, times[1]));
    }

    #[test]
    fn a_version_as_good_as_the_old_one_stays(failures in 0_u64..=1_000, more in 0_u64..10_000) {
        let tally = decisions(failures, failures + more);
        prop_assert_eq!(judge(tally.clone(), tally), None);
    }

    #[test]
    fn holds_grow_without_overflow(strikes in any::<u32>(), now in any::<u64>(), first in any::<u64>()) {
        let backoff = HoldBackoff { first: Duration::from_secs(first), attempts: u32::MAX };
        let before = Hold { strikes, since: 0, until: None, why: String::new() };
        let hold = backoff.hold(Some(&before), now, String::new());
        prop_assert!(hold.until.is_none_or(|until| until >= now));
    }
}
