//! Protocols: the format of the requests and answers of one operation of an API.

use bytes::Bytes;
use pointsman_domain::candidate::NoCandidate;
use pointsman_domain::serving_error::ServingError;
use pointsman_wire::openai;
use pointsman_wire::provider::ProviderDialect;
use serde::de::IgnoredAny;

/// Longest part of an error in another format that a client sees, in bytes.
const MAX_QUOTED: usize = 1 << 10;

/// Format of the requests, answers, stream events and errors of one operation of an API. Clients
/// use one, and so does each call of a provider; where they are the same, bytes pass through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// OpenAI's chat completions.
    ChatCompletions,
    /// OpenAI's embeddings.
    Embeddings,
    /// OpenAI's transcriptions of audio.
    Transcriptions,
}

impl Protocol {
    /// Every protocol, in the order of the variants.
    pub const ALL: [Self; 3] = [Self::ChatCompletions, Self::Embeddings, Self::Transcriptions];

    /// Renders an error of the gateway: the HTTP status and the body of the response.
    pub fn render_error(self, error: &ServingError) -> (u16, Bytes) {
        match self {
            Self::ChatCompletions | Self::Embeddings | Self::Transcriptions => (
                openai::client::error_status(error.kind.class()),
                openai::client::ErrorBody::from(error).to_bytes(),
            ),
        }
    }

    /// Renders an error of a backend: the HTTP status and the body of the response. A body in the
    /// client's own protocol passes through unless it `is_cut`; one that is not JSON is wrapped,
    /// since a browser would take it for a page of the gateway.
    pub fn render_backend_error(
        self,
        dialect: ProviderDialect,
        status: u16,
        body: Bytes,
        is_cut: bool,
    ) -> (u16, Bytes) {
        match (self, dialect) {
            (Self::ChatCompletions | Self::Embeddings | Self::Transcriptions, ProviderDialect::OpenAi) => {
                match serde_json::from_slice::<IgnoredAny>(&body) {
                    Ok(_) if !is_cut => (status, body),
                    _ => (status, quoted_error(status, &body)),
                }
            }
        }
    }

    /// Returns the error for a request that no model of its route can serve, in the words of the
    /// protocol.
    pub fn unservable(self, none: &NoCandidate) -> ServingError {
        match self {
            Self::ChatCompletions | Self::Embeddings | Self::Transcriptions => {
                openai::client::unservable(none)
            }
        }
    }
}

/// Renders an error of a backend that is not in the client's protocol, with its beginning.
fn quoted_error(status: u16, body: &[u8]) -> Bytes {
    let text = String::from_utf8_lossy(body.get(..MAX_QUOTED).unwrap_or(body));
    let message = match text.trim() {
        "" => format!("the model's server answered with status {status}"),
        text => format!("the model's server answered with status {status}: {text}"),
    };
    let kind = if status < 500 { "invalid_request_error" } else { "server_error" };
    openai::client::ErrorBody { message: &message, kind, code: Some("backend_error"), param: None }.to_bytes()
}
