//! Rendering of errors for clients.

use bytes::Bytes;
use pointsman_domain::serving_error::{ErrorKind, ServingError};
use pointsman_wire::openai::client::{ErrorBody, error_status};

use crate::form::{ProviderError, ProviderErrorKind};

/// Renders an error of the gateway: status and body.
pub fn render_error(error: &ServingError) -> (u16, Bytes) {
    (error_status(error.kind.class()), ErrorBody::from(error).to_bytes())
}

/// Renders an error of a provider: status and body. A provider that rejects the gateway's
/// credentials, account or model name is no fault of the client, which sees a failed server and
/// nothing of the provider's message.
pub fn render_provider_error(error: &ProviderError) -> (u16, Bytes) {
    const INVALID: &str = "invalid_request_error";
    const SERVER: &str = "server_error";
    let own_code = error.code.as_deref();
    let parameter = error.parameter.as_deref();
    let message = &*error.message;
    let body = |kind, code, param, message| ErrorBody { message, kind, param, code };
    let failed = ErrorKind::AllModelsFailed.code();
    let (status, body) = match error.kind {
        ProviderErrorKind::InvalidRequest => (400, body(INVALID, own_code, parameter, message)),
        ProviderErrorKind::ContextLength => {
            let code = Some(ErrorKind::ContextLengthExceeded.code());
            (400, body(INVALID, code, parameter.or(Some("messages")), message))
        }
        ProviderErrorKind::TooLarge => {
            (413, body(INVALID, Some(ErrorKind::RequestTooLarge.code()), parameter, message))
        }
        ProviderErrorKind::ContentPolicy => {
            (400, body(INVALID, own_code.or(Some("content_filter")), parameter, message))
        }
        ProviderErrorKind::RateLimit => {
            (429, body("rate_limit_error", Some(ErrorKind::RateLimitExceeded.code()), None, message))
        }
        ProviderErrorKind::Overloaded => {
            (503, body(SERVER, Some(ErrorKind::Overloaded.code()), None, message))
        }
        ProviderErrorKind::Timeout => {
            (504, body(SERVER, Some(ErrorKind::DeadlineExceeded.code()), None, message))
        }
        ProviderErrorKind::Server => (502, body(SERVER, Some(failed), None, message)),
        ProviderErrorKind::Authentication | ProviderErrorKind::Permission | ProviderErrorKind::NotFound => {
            (502, body(SERVER, Some(failed), None, "The provider rejected the gateway's own configuration."))
        }
    };
    (status, body.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(kind: ProviderErrorKind) -> (u16, serde_json::Value) {
        let message = "key sk-1 is invalid".to_owned();
        let error =
            ProviderError { kind, status: 400, message, code: None, parameter: None, retry_after: None };
        let (status, body) = render_provider_error(&error);
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[test]
    fn an_error_keeps_its_meaning() {
        let (status, body) = render(ProviderErrorKind::ContextLength);
        assert_eq!((status, &body["error"]["code"]), (400, &"context_length_exceeded".into()));
        assert_eq!(render(ProviderErrorKind::RateLimit).0, 429);
        assert_eq!(render(ProviderErrorKind::Overloaded).0, 503);
        let (status, body) = render_error(&ServingError::new(ErrorKind::ModelNotFound, "m"));
        assert_eq!(status, 404);
        assert!(body.starts_with(br#"{"error":{"message":"m""#));
    }

    #[test]
    fn the_gateways_own_credentials_are_no_concern_of_the_client() {
        for kind in
            [ProviderErrorKind::Authentication, ProviderErrorKind::Permission, ProviderErrorKind::NotFound]
        {
            let (status, body) = render(kind);
            assert_eq!((status, &body["error"]["type"]), (502, &"server_error".into()));
            assert!(!body.to_string().contains("sk-1"));
        }
    }
}
