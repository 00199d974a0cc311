use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn status(status: u16, cause: ErrorCause) -> FailureKind {
    FailureKind::Status { status, cause }
}

fn timeout(limit: TimeLimit, waited: Duration) -> FailureKind {
    FailureKind::Timeout { limit, waited }
}

#[test]
fn only_the_models_own_failures_count_against_its_health() {
    let fault_after = CallTimeouts {
        first_byte: 60 * SECOND,
        first_content: Some(90 * SECOND),
        silence: 30 * SECOND,
        answer: None,
    };
    let counts = |kind: &FailureKind| kind.counts_against_health(&fault_after);
    for models_fault in [
        timeout(TimeLimit::FirstByte, 60 * SECOND),
        timeout(TimeLimit::FirstByte, 120 * SECOND),
        timeout(TimeLimit::FirstContent, 90 * SECOND),
        timeout(TimeLimit::Silence, 30 * SECOND),
        FailureKind::Connect(String::new()),
        FailureKind::NoKey(String::new()),
        FailureKind::Broken(String::new()),
        status(500, ErrorCause::Server),
        status(529, ErrorCause::Load),
        status(401, ErrorCause::Access),
    ] {
        assert!(counts(&models_fault), "{models_fault}");
    }
    for others_fault in [
        timeout(TimeLimit::FirstByte, SECOND / 1000),
        timeout(TimeLimit::FirstByte, 60 * SECOND - Duration::from_nanos(1)),
        timeout(TimeLimit::FirstContent, 60 * SECOND),
        timeout(TimeLimit::Silence, 29 * SECOND),
        timeout(TimeLimit::Answer, 1_000 * SECOND),
        status(400, ErrorCause::Request),
        status(400, ErrorCause::Mismatch),
        status(500, ErrorCause::Mismatch),
        status(429, ErrorCause::Load),
        FailureKind::NoMemory,
        FailureKind::Untranslatable(String::new()),
    ] {
        assert!(!counts(&others_fault), "{others_fault}");
    }
}

#[test]
fn the_longer_of_two_limits_is_none_if_one_is_none() {
    let strict =
        CallTimeouts { first_content: Some(SECOND), answer: Some(SECOND), ..CallTimeouts::default() };
    let patient = CallTimeouts { first_content: Some(3 * SECOND), silence: 90 * SECOND, ..strict };
    let expected = CallTimeouts { answer: None, ..patient };
    assert_eq!(strict.most_patient(CallTimeouts { answer: None, ..patient }), expected);
    assert_eq!(expected.most_patient(strict), expected);
}

#[test]
fn an_error_names_a_cause_other_than_the_request() {
    assert_eq!(status(503, ErrorCause::Server).to_string(), "status 503");
    assert_eq!(status(401, ErrorCause::Access).to_string(), "status 401 (the model cannot be used)");
    assert_eq!(timeout(TimeLimit::FirstByte, SECOND).to_string(), "no answer within 1000 ms");
}

#[test]
fn a_call_that_the_model_never_worked_on_is_not_charged() {
    for free in [
        FailureKind::Connect(String::new()),
        FailureKind::NoKey(String::new()),
        status(500, ErrorCause::Server),
        FailureKind::Untranslatable("n".to_owned()),
    ] {
        assert!(!free.may_be_charged(), "{free}");
    }
    for charged in
        [timeout(TimeLimit::Silence, SECOND), FailureKind::Broken(String::new()), FailureKind::NoMemory]
    {
        assert!(charged.may_be_charged(), "{charged}");
    }
}
