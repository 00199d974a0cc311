//! Errors of providers, by the dialect that they speak.

use pointsman_domain::failure::ErrorCause;
use pointsman_wire::openai;
use pointsman_wire::provider::ProviderDialect;

use crate::protocol::Protocol;
use crate::translation;

/// Returns the cause of an error response.
pub fn classify_error(dialect: ProviderDialect, status: u16, body: &[u8]) -> ErrorCause {
    match dialect {
        ProviderDialect::OpenAi | ProviderDialect::Azure => openai::provider::classify_error(status, body),
        ProviderDialect::Anthropic | ProviderDialect::Gemini => {
            translation::parse_error(Protocol::of_conversations(dialect), status, body).kind.cause()
        }
    }
}

/// Returns whether an error response refuses to report the usage of a stream.
pub fn refuses_stream_usage(dialect: ProviderDialect, status: u16, body: &[u8]) -> bool {
    match dialect {
        ProviderDialect::OpenAi | ProviderDialect::Azure => {
            openai::provider::refuses_stream_usage(status, body)
        }
        ProviderDialect::Anthropic | ProviderDialect::Gemini => false,
    }
}
