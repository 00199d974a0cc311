use super::*;
use crate::failure::{ErrorCause, FailureKind, TimeLimit};

const SECOND: Duration = Duration::from_secs(1);

fn targets(count: usize) -> Vec<Target> {
    (0..count).map(|candidate| Target { candidate, timeout: None }).collect()
}

fn limits(deadline: Option<Instant>) -> AttemptLimits {
    AttemptLimits {
        max_attempts: 4,
        timeouts: CallTimeouts { first_byte: 10 * SECOND, ..CallTimeouts::default() },
        deadline,
        backoff: Duration::from_millis(100),
        retry_budget: RetryBudget::default(),
    }
}

fn failure(kind: FailureKind) -> CallFailure {
    CallFailure { kind, retry_after: None }
}

fn status(cause: ErrorCause) -> FailureKind {
    FailureKind::Status { status: 400, cause }
}

fn timeout(waited: Duration) -> FailureKind {
    FailureKind::Timeout { limit: TimeLimit::FirstByte, waited }
}

fn first_call(timeout: Duration) -> AttemptAction {
    AttemptAction::Call { candidate: 0, timeout, is_retry: false }
}

/// Returns the candidates of all calls when each fails with `kind`, skipping the waits.
fn all_calls(attempts: &mut Attempts, mut now: Instant, kind: &FailureKind) -> Vec<usize> {
    let mut calls = Vec::new();
    loop {
        match attempts.next(now, 0.5) {
            AttemptAction::Call { candidate, .. } => {
                calls.push(candidate);
                if attempts.record_failure(candidate, &failure(kind.clone())) {
                    return calls;
                }
            }
            AttemptAction::Wait(wait) => now += wait,
            AttemptAction::GiveUp => return calls,
        }
    }
}

#[test]
fn targets_are_tried_in_order_and_retried_where_the_failure_may_pass() {
    let now = Instant::now();
    let calls = |kind| all_calls(&mut Attempts::new(&targets(2), limits(None)), now, &kind);
    for passing in [
        FailureKind::Connect("refused".into()),
        timeout(SECOND),
        FailureKind::Broken("cut".into()),
        status(ErrorCause::Load),
        status(ErrorCause::Server),
    ] {
        assert_eq!(calls(passing.clone()), [0, 1, 0, 1], "{passing}");
    }
    for lasting in [ErrorCause::Access, ErrorCause::Mismatch].map(status) {
        assert_eq!(calls(lasting.clone()), [0, 1], "{lasting}");
    }
    let requests_fault = status(ErrorCause::Request);
    assert_eq!(calls(requests_fault.clone()), [0], "{requests_fault}");
}

#[test]
fn only_calls_of_a_further_round_are_retries() {
    let mut now = Instant::now();
    let mut attempts = Attempts::new(&targets(2), limits(None));
    let mut retries = Vec::new();
    loop {
        match attempts.next(now, 0.5) {
            AttemptAction::Call { candidate, is_retry, .. } => {
                retries.push(is_retry);
                attempts.record_failure(candidate, &failure(FailureKind::server_error(500)));
            }
            AttemptAction::Wait(wait) => now += wait,
            AttemptAction::GiveUp => break,
        }
    }
    assert_eq!(retries, [false, false, true, true]);
}

#[test]
fn a_denied_retry_is_no_attempt_and_the_others_are_still_called() {
    let mut now = Instant::now();
    let mut attempts = Attempts::new(&targets(2), limits(None));
    let mut calls = Vec::new();
    loop {
        match attempts.next(now, 0.5) {
            AttemptAction::Call { candidate: 0, is_retry: true, .. } => attempts.deny_retry(),
            AttemptAction::Call { candidate, .. } => {
                calls.push(candidate);
                attempts.record_failure(candidate, &failure(FailureKind::server_error(500)));
            }
            AttemptAction::Wait(wait) => now += wait,
            AttemptAction::GiveUp => break,
        }
    }
    assert_eq!((calls, attempts.made()), (vec![0, 1, 1, 1], 4));
}

#[test]
fn a_repeated_call_waits_as_long_as_the_backend_asks() {
    let now = Instant::now();
    let mut attempts = Attempts::new(&targets(1), limits(None));
    assert!(matches!(attempts.next(now, 0.5), AttemptAction::Call { candidate: 0, .. }));
    attempts
        .record_failure(0, &CallFailure { kind: status(ErrorCause::Load), retry_after: Some(3 * SECOND) });
    assert_eq!(attempts.next(now, 0.5), AttemptAction::Wait(3 * SECOND));
    assert_eq!(attempts.next(now + SECOND, 0.5), AttemptAction::Wait(2 * SECOND));
    assert!(matches!(attempts.next(now + 3 * SECOND, 0.5), AttemptAction::Call { candidate: 0, .. }));
}

#[test]
fn a_backend_that_requests_too_long_a_wait_is_not_called_again() {
    let now = Instant::now();
    let mut attempts = Attempts::new(&targets(1), limits(None));
    attempts.next(now, 0.5);
    attempts
        .record_failure(0, &CallFailure { kind: status(ErrorCause::Load), retry_after: Some(60 * SECOND) });
    assert_eq!(attempts.next(now, 0.5), AttemptAction::GiveUp);
}

#[test]
fn backoff_doubles_and_is_spread_by_the_jitter() {
    let mut now = Instant::now();
    let mut attempts = Attempts::new(&targets(1), limits(None));
    let mut waits = Vec::new();
    while waits.len() < 3 {
        match attempts.next(now, 0.0) {
            AttemptAction::Call { candidate, .. } => {
                attempts.record_failure(candidate, &failure(FailureKind::server_error(503)));
            }
            AttemptAction::Wait(wait) => {
                waits.push(wait.as_millis());
                now += wait;
            }
            AttemptAction::GiveUp => break,
        }
    }
    assert_eq!(waits, [50, 100, 200]);
}

#[test]
fn the_deadline_shortens_the_last_attempt_and_ends_the_rest() {
    let now = Instant::now();
    let mut attempts = Attempts::new(&targets(3), limits(Some(now + 2 * SECOND)));
    assert_eq!(attempts.next(now, 0.0), first_call(2 * SECOND));
    assert_eq!(attempts.next(now + 2 * SECOND, 0.0), AttemptAction::GiveUp);
}

#[test]
fn a_wait_that_outlasts_the_deadline_is_not_begun() {
    let now = Instant::now();
    let mut attempts = Attempts::new(&targets(1), limits(Some(now + 2 * SECOND)));
    attempts.next(now, 0.0);
    attempts
        .record_failure(0, &CallFailure { kind: status(ErrorCause::Load), retry_after: Some(3 * SECOND) });
    assert_eq!(attempts.next(now, 0.0), AttemptAction::GiveUp);
}

#[test]
fn a_policys_timeout_can_only_shorten_the_routes() {
    let now = Instant::now();
    let with = |timeout| {
        let target = Target { candidate: 0, timeout: Some(timeout) };
        Attempts::new(&[target], limits(None)).next(now, 0.0)
    };
    assert_eq!(with(SECOND), first_call(SECOND));
    assert_eq!(with(60 * SECOND), first_call(10 * SECOND));
}

#[test]
fn a_retry_has_the_routes_timeout_instead_of_the_policys() {
    let now = Instant::now();
    let target = Target { candidate: 0, timeout: Some(Duration::from_millis(1)) };
    let mut attempts = Attempts::new(&[target], limits(None));
    assert_eq!(attempts.next(now, 0.5), first_call(Duration::from_millis(1)));
    attempts.record_failure(0, &failure(timeout(Duration::from_millis(1))));
    let AttemptAction::Wait(wait) = attempts.next(now, 0.5) else { panic!("a retry is delayed") };
    let retry = AttemptAction::Call { candidate: 0, timeout: 10 * SECOND, is_retry: true };
    assert_eq!(attempts.next(now + wait, 0.5), retry);
}
