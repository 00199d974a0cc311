use super::*;

#[test]
fn an_error_has_the_type_and_the_status_of_this_api() {
    let error = ServingError::new(ErrorKind::ModelNotFound, "No model `x`.");
    let (status, body) = render_error(&error);
    assert_eq!(status, 404);
    let expected = r#"{"type":"error","error":{"type":"not_found_error","message":"No model `x`.","details":{"error_code":"model_not_found"}}}"#;
    assert_eq!(body, expected);
    assert_eq!(render_error(&ServingError::new(ErrorKind::Overloaded, "")).0, 529);
    assert_eq!(render_error(&ServingError::new(ErrorKind::RateLimitExceeded, "")).0, 429);
}

#[test]
fn a_client_learns_that_it_has_to_send_a_thread_as_a_conversation() {
    let error = ServingError::new(ErrorKind::UnsupportedRequest, "no").with_parameter("thread");
    let (status, body) = render_error(&error);
    let expected = r#"{"type":"error","error":{"type":"invalid_request_error","message":"no","details":{"error_code":"thread_unsupported_request"}}}"#;
    assert_eq!((status, &body[..]), (400, expected.as_bytes()));
    let (_, body) = render_error(&error.with_parameter("container"));
    assert!(String::from_utf8_lossy(&body).contains("unsupported_request"));
    assert!(!String::from_utf8_lossy(&body).contains("thread"));
}

#[test]
fn a_client_recognizes_that_the_context_window_is_exceeded() {
    let error = ServingError::new(ErrorKind::ContextLengthExceeded, "400 tokens, limit 300.");
    let (status, body) = render_error(&error);
    assert_eq!(status, 400);
    assert_eq!(parse_error(status, &body).kind, ProviderErrorKind::ContextLength);
    assert!(body.starts_with(
        br#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: "#
    ));
}

#[test]
fn an_error_keeps_its_meaning_from_provider_to_client() {
    let kinds = [
        (400, "invalid_request_error", "messages: required", ProviderErrorKind::InvalidRequest, 400),
        (400, "invalid_request_error", "prompt is too long: 2 > 1", ProviderErrorKind::ContextLength, 400),
        (400, "invalid_request_error", "Your credit balance is too low", ProviderErrorKind::Permission, 502),
        (
            400,
            "invalid_request_error",
            "Output blocked by content filtering policy",
            ProviderErrorKind::ContentPolicy,
            400,
        ),
        (401, "authentication_error", "invalid x-api-key", ProviderErrorKind::Authentication, 502),
        (403, "permission_error", "no", ProviderErrorKind::Permission, 502),
        (404, "not_found_error", "model: x", ProviderErrorKind::NotFound, 502),
        (413, "request_too_large", "Request too large", ProviderErrorKind::TooLarge, 413),
        (429, "rate_limit_error", "slow down", ProviderErrorKind::RateLimit, 429),
        (500, "api_error", "Internal server error", ProviderErrorKind::Server, 500),
        (504, "timeout_error", "late", ProviderErrorKind::Timeout, 504),
        (529, "overloaded_error", "Overloaded", ProviderErrorKind::Overloaded, 529),
    ];
    for (status, error_type, message, kind, rendered) in kinds {
        let body = format!(r#"{{"type":"error","error":{{"type":"{error_type}","message":"{message}"}}}}"#);
        let error = parse_error(status, body.as_bytes());
        assert_eq!((error.kind, error.status, &*error.message), (kind, status, message));
        assert_eq!(error.code.as_deref(), Some(error_type));
        assert_eq!(parse_reported(None, body.as_bytes()).expect("an error").kind, kind, "{body}");
        assert_eq!(render_provider_error(&error).0, rendered, "{body}");
    }
}

#[test]
fn a_page_of_a_proxy_is_an_error_of_its_status() {
    let error = parse_error(502, b"<html>Bad Gateway</html>");
    assert_eq!((error.kind, &*error.message), (ProviderErrorKind::Server, "<html>Bad Gateway</html>"));
    assert_eq!(parse_error(529, b"").kind, ProviderErrorKind::Overloaded);
    assert_eq!(parse_error(400, br#"{"error":"bad"}"#).kind, ProviderErrorKind::InvalidRequest);
}
