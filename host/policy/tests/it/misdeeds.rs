//! Results of each misdeed. The match has no wildcard, so a misdeed without an expectation does not
//! compile.

use pointsman_guests::{HOSTILE, Misdeed, misbehaving, misbehaving_at_once};
use pointsman_policy::{PolicyAnswer, PolicySpec};

use crate::support::{decide, hasty, load, load_error, reason, spec_with};

/// Result of a misbehaving policy.
#[derive(Debug, PartialEq)]
enum MisdeedEnd {
    /// The load gate refuses it, with this in the message.
    Refused(&'static str),
    /// A failed decision, for this reason.
    Failure(&'static str),
    /// A decision or a refusal.
    Answer,
}

const fn expected(misdeed: Misdeed) -> MisdeedEnd {
    match misdeed {
        Misdeed::LoopAtStart | Misdeed::LoopInValidate => {
            MisdeedEnd::Refused("failed while it was started: the policy ran past its deadline")
        }
        Misdeed::RefuseSettings => MisdeedEnd::Refused(
            "the policy refuses its settings: setting `misdeed`: refused\\nas \\u{1b}[31masked",
        ),
        Misdeed::LoopInRoute => MisdeedEnd::Failure("deadline"),
        Misdeed::Recurse => MisdeedEnd::Failure("stack"),
        Misdeed::Trap | Misdeed::Panic => MisdeedEnd::Failure("trap"),
        Misdeed::GrowMemory => MisdeedEnd::Failure("memory"),
        Misdeed::FloodHost => MisdeedEnd::Failure("host_calls"),
        Misdeed::Internal | Misdeed::TurnedInternal => MisdeedEnd::Failure("internal"),
        Misdeed::HugeLabel | Misdeed::HugeReason | Misdeed::ManyTargets | Misdeed::HugeLog => {
            MisdeedEnd::Failure("too_large")
        }
        Misdeed::LongReason
        | Misdeed::MoreTargetsThanCandidates
        | Misdeed::NoTarget
        | Misdeed::OutOfRange
        | Misdeed::Repeat
        | Misdeed::ZeroTimeout
        | Misdeed::NanPropensity
        | Misdeed::InfinitePropensity
        | Misdeed::MinusInfinitePropensity
        | Misdeed::EmptyLabel
        | Misdeed::HeaderInLabel
        | Misdeed::AnsiInReason
        | Misdeed::C1InReason
        | Misdeed::AnsiInRefusal => MisdeedEnd::Failure("invalid"),
        Misdeed::GrowMemoryGracefully
        | Misdeed::LongestTimes
        | Misdeed::AnsiInLog
        | Misdeed::TurnedLog
        | Misdeed::TurnedReason
        | Misdeed::TurnedRefusal
        | Misdeed::LongLog
        | Misdeed::FloodLog
        | Misdeed::Deny
        | Misdeed::RefuseAll => MisdeedEnd::Answer,
    }
}

fn spec_for(misdeed: Misdeed, settings: &str) -> PolicySpec {
    match expected(misdeed) {
        MisdeedEnd::Failure("deadline") | MisdeedEnd::Refused(_) => hasty(spec_with(settings)),
        _ => spec_with(settings),
    }
}

#[tokio::test]
async fn every_misdeed_ends_as_it_should_and_leaves_nothing_behind() {
    let good = load(spec_with("{}"), HOSTILE).unwrap();
    for &misdeed in Misdeed::ALL {
        let spec = spec_for(misdeed, &misbehaving(misdeed));
        let end = match load(spec, HOSTILE) {
            Err(error) => {
                let MisdeedEnd::Refused(part) = expected(misdeed) else {
                    panic!("{misdeed:?} was refused: {error}");
                };
                assert!(error.to_string().contains(part), "{misdeed:?}: {error}");
                continue;
            }
            Ok(policy) => match decide(&policy).await {
                Ok(_) => MisdeedEnd::Answer,
                Err(failure) => MisdeedEnd::Failure(failure.reason()),
            },
        };
        assert_eq!(end, expected(misdeed), "{misdeed:?}");
        decide(&good).await.unwrap();
    }
}

#[test]
fn a_policy_that_misbehaves_on_the_probe_is_refused() {
    // Held, so that the code is compiled once.
    let _good = load(spec_with("{}"), HOSTILE).unwrap();
    for &misdeed in Misdeed::ALL {
        if let MisdeedEnd::Failure(_) = expected(misdeed) {
            let error = load_error(spec_for(misdeed, &misbehaving_at_once(misdeed)), HOSTILE);
            assert!(error.contains("the policy failed on a probe request: "), "{misdeed:?}: {error}");
        }
    }
}

#[tokio::test]
async fn texts_of_failures_are_printable() {
    let policy = load(spec_with(&misbehaving(Misdeed::Internal)), HOSTILE).unwrap();
    let failure = decide(&policy).await.unwrap_err().to_string();
    assert_eq!(failure, "the policy reports an internal error: out of \\u{1b}[1mideas");
}

#[tokio::test]
async fn texts_that_turn_or_hide_are_escaped() {
    let decided =
        |misdeed| async move { decide(&load(spec_with(&misbehaving(misdeed)), HOSTILE).unwrap()).await };
    let shown = r"ok \u{202e}gnol\u{2066} \u{2028}fake line\u{200b}\u{feff}\u{e0041}";
    assert_eq!(reason(decided(Misdeed::TurnedReason).await), shown);
    match decided(Misdeed::TurnedRefusal).await.unwrap() {
        PolicyAnswer::Refusal(refusal) => assert_eq!(refusal.message(), shown),
        other => panic!("not refused: {other:?}"),
    }
    let failure = decided(Misdeed::TurnedInternal).await.unwrap_err().to_string();
    assert_eq!(failure, format!("the policy reports an internal error: {shown}"));
}

#[tokio::test]
async fn an_endless_policy_lets_others_run_on_the_same_thread() {
    let policy = load(spec_with(&misbehaving(Misdeed::LoopInRoute)), HOSTILE).unwrap();
    let other = async {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        "other"
    };
    // `select!` in order polls the policy first, and it never ends by itself
    // before the other has had its turns.
    let first = tokio::select! {
        biased;
        result = decide(&policy) => panic!("the policy held the thread: {result:?}"),
        done = other => done,
    };
    assert_eq!(first, "other");
}
