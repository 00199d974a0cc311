use super::*;
use crate::failure::FailureKind;

const SECOND: Duration = Duration::from_secs(1);

fn targets(count: usize) -> Vec<Target> {
    (0..count).map(|candidate| Target { candidate, timeout: None }).collect()
}

fn limits(deadline: Option<Instant>) -> Limits {
    Limits { max_attempts: 4, attempt_timeout: 10 * SECOND, deadline, backoff: Duration::from_millis(100) }
}

fn failure(kind: FailureKind) -> CallFailure {
    CallFailure { kind, retry_after: None }
}

/// Calls made until there is nothing left, each answered with `kind`; waits are taken.
fn all_calls(attempts: &mut Attempts, mut now: Instant, kind: &FailureKind) -> Vec<usize> {
    let mut calls = Vec::new();
    loop {
        match attempts.next(now, 0.5) {
            Next::Call { candidate, .. } => {
                calls.push(candidate);
                if attempts.failed(candidate, &failure(kind.clone())) {
                    return calls;
                }
            }
            Next::Wait(wait) => now += wait,
            Next::GiveUp => return calls,
        }
    }
}

#[test]
fn targets_are_tried_in_order_and_those_worth_it_again() {
    let now = Instant::now();
    let calls = |kind| all_calls(&mut Attempts::new(&targets(2), limits(None)), now, &kind);
    assert_eq!(calls(FailureKind::Status(500)), [0, 1]);
    assert_eq!(calls(FailureKind::Timeout(SECOND)), [0, 1]);
    assert_eq!(calls(FailureKind::Connect("refused".into())), [0, 1, 0, 1]);
    assert_eq!(calls(FailureKind::Status(429)), [0, 1, 0, 1]);
    assert_eq!(calls(FailureKind::Status(400)), [0]);
}

#[test]
fn a_repeated_call_waits_as_long_as_the_backend_asks() {
    let now = Instant::now();
    let mut attempts = Attempts::new(&targets(1), limits(None));
    assert!(matches!(attempts.next(now, 0.5), Next::Call { candidate: 0, .. }));
    attempts.failed(0, &CallFailure { kind: FailureKind::Status(429), retry_after: Some(3 * SECOND) });
    assert_eq!(attempts.next(now, 0.5), Next::Wait(3 * SECOND));
    assert_eq!(attempts.next(now + SECOND, 0.5), Next::Wait(2 * SECOND));
    assert!(matches!(attempts.next(now + 3 * SECOND, 0.5), Next::Call { candidate: 0, .. }));
}

#[test]
fn a_backend_that_asks_for_too_much_patience_is_not_called_again() {
    let now = Instant::now();
    let mut attempts = Attempts::new(&targets(1), limits(None));
    attempts.next(now, 0.5);
    attempts.failed(0, &CallFailure { kind: FailureKind::Status(429), retry_after: Some(60 * SECOND) });
    assert_eq!(attempts.next(now, 0.5), Next::GiveUp);
}

#[test]
fn backoff_doubles_and_is_spread_by_the_jitter() {
    let mut now = Instant::now();
    let mut attempts = Attempts::new(&targets(1), limits(None));
    let mut waits = Vec::new();
    while waits.len() < 3 {
        match attempts.next(now, 0.0) {
            Next::Call { candidate, .. } => {
                attempts.failed(candidate, &failure(FailureKind::Status(503)));
            }
            Next::Wait(wait) => {
                waits.push(wait.as_millis());
                now += wait;
            }
            Next::GiveUp => break,
        }
    }
    assert_eq!(waits, [50, 100, 200]);
}

#[test]
fn the_deadline_shortens_the_last_attempt_and_ends_the_rest() {
    let now = Instant::now();
    let mut attempts = Attempts::new(&targets(3), limits(Some(now + 2 * SECOND)));
    assert_eq!(attempts.next(now, 0.0), Next::Call { candidate: 0, timeout: 2 * SECOND });
    assert_eq!(attempts.next(now + 2 * SECOND, 0.0), Next::GiveUp);
}

#[test]
fn a_wait_that_outlasts_the_deadline_is_not_begun() {
    let now = Instant::now();
    let mut attempts = Attempts::new(&targets(1), limits(Some(now + 2 * SECOND)));
    attempts.next(now, 0.0);
    attempts.failed(0, &CallFailure { kind: FailureKind::Status(429), retry_after: Some(3 * SECOND) });
    assert_eq!(attempts.next(now, 0.0), Next::GiveUp);
}

#[test]
fn a_policys_timeout_can_only_shorten_the_routes() {
    let now = Instant::now();
    let with = |timeout| {
        let target = Target { candidate: 0, timeout: Some(timeout) };
        Attempts::new(&[target], limits(None)).next(now, 0.0)
    };
    assert_eq!(with(SECOND), Next::Call { candidate: 0, timeout: SECOND });
    assert_eq!(with(60 * SECOND), Next::Call { candidate: 0, timeout: 10 * SECOND });
}
