use super::*;

use ProviderErrorKind as Kind;

#[track_caller]
fn check(status: u16, body: &str, kind: Kind) {
    assert_eq!(parse_error(status, body.as_bytes()).kind, kind, "{status} {body}");
}

/// Returns the body of an error in OpenAI's shape.
fn error(code: &str, message: &str) -> String {
    format!(r#"{{"error":{{"message":"{message}","type":"x","param":null,"code":"{code}"}}}}"#)
}

#[test]
fn an_error_has_a_kind() {
    check(400, &error("context_length_exceeded", "too long"), Kind::ContextLength);
    check(400, &error("", "This model's maximum context length is 8192 tokens."), Kind::ContextLength);
    check(500, &error("", "the request exceeds the available context size"), Kind::ContextLength);
    check(400, &error("content_filter", "filtered"), Kind::ContentPolicy);
    check(403, &error("", "This model requires moderation"), Kind::ContentPolicy);
    check(400, &error("invalid_value", "Invalid 'messages[0]'."), Kind::InvalidRequest);
    check(422, r#"{"detail":[{"loc":["body","x"],"msg":"Field required"}]}"#, Kind::InvalidRequest);
    check(401, &error("invalid_api_key", "Incorrect API key provided"), Kind::Authentication);
    check(400, &error("API_KEY_INVALID", "API key not valid."), Kind::Authentication);
    check(402, &error("", "Insufficient credits"), Kind::Permission);
    check(403, &error("", "You may not use this model"), Kind::Permission);
    check(404, &error("model_not_found", "no model"), Kind::NotFound);
    check(404, "<html>not found</html>", Kind::NotFound);
    check(413, "", Kind::TooLarge);
    check(429, &error("rate_limit_exceeded", "slow down"), Kind::RateLimit);
    check(429, &error("insufficient_quota", "You exceeded your current quota"), Kind::Permission);
    check(500, &error("", "oops"), Kind::Server);
    check(503, &error("", "oops"), Kind::Overloaded);
    check(529, "", Kind::Overloaded);
    check(504, "", Kind::Timeout);
}

#[test]
fn an_error_has_its_message_in_any_shape() {
    for body in [
        r#"{"error":{"message":"m","code":"c","param":"p"}}"#,
        r#"[{"error":{"message":"m","code":400}}]"#,
        r#"{"error":"m"}"#,
        r#"{"detail":"m"}"#,
        r#"{"object":"error","message":"m","type":"BadRequestError","code":400}"#,
        "m",
    ] {
        assert_eq!(parse_error(400, body.as_bytes()).message, "m", "{body}");
    }
    assert_eq!(parse_error(502, b"<html>").message, "The provider answered with status 502.");
    let full = parse_error(400, br#"{"error":{"message":"m","code":"c","param":"p"}}"#);
    assert_eq!((full.code.as_deref(), full.parameter.as_deref()), (Some("c"), Some("p")));
}

#[test]
fn an_error_in_an_answer_has_the_status_that_it_states() {
    let reported = |body: &str| reported_error(body.as_bytes()).map(|error| (error.status, error.kind));
    assert_eq!(reported(r#"{"error":{"message":"m","code":502}}"#), Some((502, Kind::Server)));
    let invalid = r#"{"error":{"message":"m","type":"invalid_request_error","code":"tool_use_failed"}}"#;
    assert_eq!(reported(invalid), Some((400, Kind::InvalidRequest)));
    assert_eq!(
        reported(r#"{"choices":[{"error":{"message":"m","code":429}}]}"#),
        Some((429, Kind::RateLimit))
    );
    assert_eq!(reported(r#"{"error":null,"choices":[]}"#), None);
    assert_eq!(reported(r#"{"choices":[{"message":{"content":"\"error\""}}]}"#), None);
}
