//! Errors of providers, by the dialect that they speak.

use pointsman_domain::failure::ErrorCause;
use pointsman_wire::openai;
use pointsman_wire::provider::ProviderDialect;

/// Returns the cause of an error response.
pub fn classify_error(dialect: ProviderDialect, status: u16, body: &[u8]) -> ErrorCause {
    match dialect {
        ProviderDialect::OpenAi => openai::provider::classify_error(status, body),
    }
}

/// Returns whether an error response refuses to report the usage of a stream.
pub fn refuses_stream_usage(dialect: ProviderDialect, status: u16, body: &[u8]) -> bool {
    match dialect {
        ProviderDialect::OpenAi => openai::provider::refuses_stream_usage(status, body),
    }
}
