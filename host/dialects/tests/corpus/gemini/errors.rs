//! Errors.

use pointsman_dialects::form::ProviderErrorKind;
use pointsman_dialects::gemini::parse_error;

use crate::recorded;

#[test]
fn every_error_has_the_kind_of_its_status_and_its_message() {
    let mut seen = 0;
    for api in
        ["gemini.generateContent", "gemini.streamGenerateContent", "gemini.embed", "gemini.countTokens"]
    {
        for call in recorded::calls(api).into_iter().flatten().filter(|call| call.status >= 400) {
            let body = call.response_body().expect("a body");
            let error = parse_error(call.status, &serde_json::to_vec(body).expect("JSON"));
            let stated = if body.is_array() { &body[0]["error"] } else { &body["error"] };
            let message = stated["message"].as_str().or(stated.as_str()).unwrap_or_default();
            assert_eq!(error.message, message, "{}", call.id);
            assert_eq!(error.status, call.status);
            let is_expected = match call.status {
                400 => matches!(
                    error.kind,
                    ProviderErrorKind::InvalidRequest
                        | ProviderErrorKind::Authentication
                        | ProviderErrorKind::Permission
                        | ProviderErrorKind::ContextLength
                ),
                403 => error.kind == ProviderErrorKind::Permission,
                404 => error.kind == ProviderErrorKind::NotFound,
                429 => error.kind == ProviderErrorKind::RateLimit,
                _ => false,
            };
            assert!(is_expected, "{}: {error:?}", call.id);
            let has_delay = body.to_string().contains("retryDelay");
            assert_eq!(error.retry_after.is_some(), has_delay, "{}", call.id);
            seen += 1;
        }
    }
    assert!(seen == 0 || seen >= 20, "{seen} errors");
}
