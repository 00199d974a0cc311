//! Errors in the format of a client's API.

use bytes::Bytes;
use pointsman_domain::serving_error::ServingError;
use pointsman_wire::openai;
use pointsman_wire::provider::ProviderDialect;
use serde::de::IgnoredAny;

use crate::form::ProviderError;
use crate::protocol::Protocol;
use crate::{anthropic, chat, responses, translation};

/// Longest part of an error in another format that a client sees, in bytes.
const MAX_QUOTED: usize = 1 << 10;

/// Family of APIs that have errors in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ErrorFormat {
    OpenAi,
    Responses,
    Anthropic,
    Gemini,
}

impl Protocol {
    /// Renders an error of the gateway: the HTTP status and the body of the response.
    pub fn render_error(self, error: &ServingError) -> (u16, Bytes) {
        match self.error_format() {
            ErrorFormat::OpenAi | ErrorFormat::Gemini => chat::render_error(error),
            ErrorFormat::Responses => responses::render_error(error),
            ErrorFormat::Anthropic => anthropic::render_error(error),
        }
    }

    /// Renders an error response of a backend: the HTTP status and the body of the response. A body
    /// in the client's own format passes through unless it `is_cut`; one that is not JSON is
    /// wrapped, since a browser would take it for a page of the gateway; any other is translated.
    pub fn render_backend_error(
        self,
        dialect: ProviderDialect,
        status: u16,
        body: Bytes,
        is_cut: bool,
    ) -> (u16, Bytes) {
        let provider = Self::of_conversations(dialect);
        if self.error_format().passes(provider.error_format()) {
            return match serde_json::from_slice::<IgnoredAny>(&body) {
                Ok(_) if !is_cut => (status, body),
                _ => (status, self.quoted_error(status, &body)),
            };
        }
        self.render_provider_error(&translation::parse_error(provider, status, &body))
    }

    fn render_provider_error(self, error: &ProviderError) -> (u16, Bytes) {
        match self.error_format() {
            ErrorFormat::OpenAi | ErrorFormat::Gemini => chat::render_provider_error(error),
            ErrorFormat::Responses => responses::render_provider_error(error),
            ErrorFormat::Anthropic => anthropic::render_provider_error(error),
        }
    }

    const fn error_format(self) -> ErrorFormat {
        match self {
            Self::ChatCompletions | Self::Completions | Self::Forwarded(_) => ErrorFormat::OpenAi,
            Self::GenerateContent => ErrorFormat::Gemini,
            Self::Responses => ErrorFormat::Responses,
            Self::Messages => ErrorFormat::Anthropic,
        }
    }

    /// Renders an error of a backend that is in no known format, with its beginning.
    fn quoted_error(self, status: u16, body: &[u8]) -> Bytes {
        let text = String::from_utf8_lossy(body.get(..MAX_QUOTED).unwrap_or(body));
        let message = match text.trim() {
            "" => format!("the model's server answered with status {status}"),
            text => format!("the model's server answered with status {status}: {text}"),
        };
        if self.error_format() == ErrorFormat::Anthropic {
            let error = translation::parse_error(self, status, b"");
            return self.render_provider_error(&ProviderError { message, ..error }).1;
        }
        let kind = if status < 500 { "invalid_request_error" } else { "server_error" };
        openai::client::ErrorBody { message: &message, kind, code: Some("backend_error"), param: None }
            .to_bytes()
    }
}

impl ErrorFormat {
    /// Returns whether an error of a provider is in the client's format.
    fn passes(self, provider: Self) -> bool {
        match self {
            Self::OpenAi | Self::Responses => matches!(provider, Self::OpenAi | Self::Responses),
            Self::Anthropic | Self::Gemini => self == provider,
        }
    }
}
