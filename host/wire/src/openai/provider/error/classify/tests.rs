use super::*;

#[track_caller]
fn check(status: u16, body: &str, expected: ErrorCause) {
    assert_eq!(classify_error(status, body.as_bytes()), expected, "{status} {body}");
}

/// An error in OpenAI's shape.
fn error(code: &str, message: &str) -> String {
    serde_json::json!({ "error": { "message": message, "type": "invalid_request_error", "code": code } })
        .to_string()
}

#[test]
fn a_status_without_known_phrases_has_its_usual_meaning() {
    for (statuses, expected) in [
        (&[400, 409, 413, 422][..], ErrorCause::Request),
        (&[301, 307, 401, 402, 403, 404, 405, 406, 411, 415, 451], ErrorCause::Access),
        (&[429, 529], ErrorCause::Load),
        (&[408, 425, 500, 502, 503, 504, 599], ErrorCause::Server),
    ] {
        for status in statuses {
            check(*status, "", expected);
            check(*status, &error("", "something"), expected);
        }
    }
}

#[test]
fn a_request_that_is_too_long_for_a_model_may_fit_another() {
    for message in [
        "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens.",
        "The input (36000 tokens) is longer than the model's context length (32768 tokens).",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "the request exceeds the available context size. try increasing the context size",
        "The input token count (40000) exceeds the maximum number of tokens allowed (32768).",
        "Please reduce the length of the messages or completion.",
    ] {
        for status in [400, 413, 422, 500] {
            check(status, &error("", message), ErrorCause::Mismatch);
        }
    }
    check(400, &error("context_length_exceeded", "too long"), ErrorCause::Mismatch);
    check(
        400,
        r#"{"object":"error","message":"maximum context length is 8192 tokens","code":400}"#,
        ErrorCause::Mismatch,
    );
    check(400, r#"{"error":"input length exceeds the context length"}"#, ErrorCause::Mismatch);
}

#[test]
fn a_member_that_a_model_does_not_support_may_be_supported_by_another() {
    check(400, &error("unsupported_parameter", "Unsupported parameter: 'max_tokens'"), ErrorCause::Mismatch);
    check(400, &error("unsupported_value", "'temperature' must be 1"), ErrorCause::Mismatch);
    check(400, &error("", "Unrecognized request argument supplied: reasoning_effort"), ErrorCause::Mismatch);
    check(400, &error("", "llama does not support tools"), ErrorCause::Mismatch);
    check(
        400,
        &error("", "max_tokens is too large: this model supports at most 16384"),
        ErrorCause::Mismatch,
    );
    check(
        422,
        r#"{"detail":[{"type":"extra_forbidden","loc":["body","x"],"msg":"Extra inputs are not permitted"}]}"#,
        ErrorCause::Mismatch,
    );
    check(400, &error("", "At most 0 image(s) may be provided in one request."), ErrorCause::Mismatch);
}

#[test]
fn a_rejected_key_or_account_does_not_blame_the_request() {
    check(400, &error("", "API key not valid. Please pass a valid API key."), ErrorCause::Access);
    check(400, &error("", "Your credit balance is too low to access the API."), ErrorCause::Access);
    check(429, &error("insufficient_quota", "You exceeded your current quota"), ErrorCause::Access);
    check(400, &error("model_not_found", "no"), ErrorCause::Access);
    check(
        404,
        &error("", "The model `x` does not exist or you do not have access to it."),
        ErrorCause::Access,
    );
}

#[test]
fn overload_is_recognized_under_any_status() {
    check(403, &error("rate_limit_exceeded", "slow down"), ErrorCause::Load);
    check(400, &error("ThrottlingException", "Too many requests"), ErrorCause::Load);
    check(500, &error("overloaded_error", "Overloaded"), ErrorCause::Load);
    check(429, &error("", "You exceeded your current quota, please check your plan"), ErrorCause::Load);
}

#[test]
fn a_page_of_a_proxy_does_not_blame_the_request() {
    let page = "  <html><head><title>Not allowed</title></head></html>";
    check(400, page, ErrorCause::Mismatch);
    check(403, page, ErrorCause::Access);
    check(413, page, ErrorCause::Mismatch);
    check(502, page, ErrorCause::Server);
}

#[test]
fn a_rejection_of_stream_options_is_recognized_by_their_name() {
    let named = br#"{"detail":[{"loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}"#;
    assert!(refuses_stream_usage(422, named));
    assert!(refuses_stream_usage(400, error("", "include_usage is not supported").as_bytes()));
    assert!(!refuses_stream_usage(500, named));
    assert!(!refuses_stream_usage(400, error("", "temperature is not supported").as_bytes()));
}

#[test]
fn quoted_text_in_an_error_is_ignored() {
    let quoted =
        format!("invalid input: {}{}", "x".repeat(3_000), "context length rate limit invalid api key");
    check(400, &error("", &quoted), ErrorCause::Request);
    check(400, &quoted, ErrorCause::Request);
    let cut = &error("", &quoted)[..1_000];
    check(400, cut, ErrorCause::Request);
}
