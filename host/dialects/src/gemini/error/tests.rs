use super::*;
use crate::form::ProviderErrorKind::*;

fn check(status: u16, body: &str, kind: ProviderErrorKind, code: Option<&str>) -> ProviderError {
    let error = parse_error(status, body.as_bytes());
    assert_eq!((error.kind, error.code.as_deref(), error.status), (kind, code, status), "{body}");
    error
}

#[test]
fn errors_have_the_kind_of_their_status() {
    let named = |code: u16, name: &str, message: &str| {
        format!(r#"{{"error":{{"code":{code},"message":"{message}","status":"{name}"}}}}"#)
    };
    let cases = [
        (400, "INVALID_ARGUMENT", "Unknown name", InvalidRequest),
        (
            400,
            "INVALID_ARGUMENT",
            "The input token count (9) exceeds the maximum number of tokens allowed (8).",
            ContextLength,
        ),
        (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", Authentication),
        (400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes.", TooLarge),
        (400, "FAILED_PRECONDITION", "User location is not supported for the API use.", Permission),
        (401, "UNAUTHENTICATED", "x", Authentication),
        (403, "PERMISSION_DENIED", "x", Permission),
        (404, "NOT_FOUND", "models/x is not found", NotFound),
        (429, "RESOURCE_EXHAUSTED", "x", RateLimit),
        (500, "INTERNAL", "x", Server),
        (503, "UNAVAILABLE", "The model is overloaded.", Overloaded),
        (504, "DEADLINE_EXCEEDED", "x", Timeout),
    ];
    for (status, name, message, kind) in cases {
        let error = check(status, &named(status, name, message), kind, Some(name));
        assert_eq!(error.message, message);
    }
}

#[test]
fn an_array_of_one_error_is_an_error() {
    let body = r#"[{"error":{"code":404,"message":"m","status":"NOT_FOUND"}}]"#;
    assert_eq!(check(404, body, NotFound, Some("NOT_FOUND")).message, "m");
}

#[test]
fn details_state_the_reason_the_member_and_the_time_to_wait() {
    let body = r#"{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[
        {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"q"}]},
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"},
        {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED"}]}}"#;
    let error = check(429, body, RateLimit, Some("RATE_LIMIT_EXCEEDED"));
    assert_eq!(error.retry_after, Some(Duration::from_millis(34_500)));
    let body = r#"{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT","details":[
        {"fieldViolations":[{"field":"contents[0].parts","description":"d"}]}]}}"#;
    assert_eq!(
        check(400, body, InvalidRequest, Some("INVALID_ARGUMENT")).parameter.as_deref(),
        Some("contents[0].parts")
    );
    let body = r#"{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#;
    check(400, body, Authentication, Some("API_KEY_INVALID"));
}

#[test]
fn other_bodies_have_the_kind_of_the_status_alone() {
    assert_eq!(check(502, "<html>Bad gateway</html>", Server, None).message, "<html>Bad gateway</html>");
    check(503, "", Overloaded, None);
    assert_eq!(check(400, r#"{"error":"no"}"#, InvalidRequest, None).message, "no");
    check(400, r#"{"error":{"details":{}}}"#, InvalidRequest, None);
    assert!(parse_error(500, "é".repeat(2_000).as_bytes()).message.len() <= MAX_TEXT);
}

#[test]
fn an_impossible_time_to_wait_is_none() {
    for delay in ["-1s", "1e300s", "NaNs", "5", "s"] {
        assert_eq!(duration(delay), None, "{delay}");
    }
}
