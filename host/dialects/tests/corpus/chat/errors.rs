//! Errors.

use pointsman_dialects::chat::{parse_answer, parse_error};
use pointsman_dialects::form::{InvalidAnswer, ProviderErrorKind as Kind};

use crate::recorded;

#[test]
fn every_error_parses() {
    let mut seen = 0;
    for api in ["openai.chat", "openai.completions", "openai.embeddings", "openai.responses"] {
        let Some(calls) = recorded::calls(api) else { return };
        for call in calls.iter().filter(|call| call.status >= 400) {
            let Some(body) = call.response_body() else { continue };
            seen += 1;
            let bytes = serde_json::to_vec(body).expect("JSON");
            let error = parse_error(call.status, &bytes);
            let message = body["error"]["message"].as_str().unwrap_or_default();
            assert!(error.message.starts_with(message) && !error.message.is_empty(), "{}", call.id);
            let text = body.to_string().to_lowercase();
            let has = |phrase: &str| text.contains(phrase);
            let expected = match call.status {
                401 => Kind::Authentication,
                404 => Kind::NotFound,
                400 | 429 if has("current quota") => Kind::Permission,
                429 => Kind::RateLimit,
                500 => Kind::Server,
                504 => Kind::Timeout,
                400 if has("context length") || has("too_many_prompt_tokens") || has("context_length") => {
                    Kind::ContextLength
                }
                400 if has("content management") => Kind::ContentPolicy,
                400 if has("incorrect api key") => Kind::Authentication,
                400 if has("model_not_found") => Kind::NotFound,
                _ => Kind::InvalidRequest,
            };
            assert_eq!(error.kind, expected, "{}: {error:?} {text}", call.id);
            if body["error"].is_object() {
                assert!(matches!(parse_answer(&bytes), Err(InvalidAnswer::Reported(_))), "{}", call.id);
            }
        }
    }
    assert!(seen >= 50, "{seen} errors");
}
