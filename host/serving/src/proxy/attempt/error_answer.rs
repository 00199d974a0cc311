//! Error answers of backends: what they mean, and their content for the client.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use pointsman_backends::{BackendResponse, retry_after};
use pointsman_dialects::provider::{classify_error, refuses_stream_usage};
use pointsman_domain::failure::{CallFailure, FailureKind};
use pointsman_wire::provider::ProviderDialect;

use super::FailedAttempt;
use super::clock::CallClock;

/// The largest error that is passed to the client.
const MAX_ERROR: usize = 64 << 10;

/// An error answer of a backend.
#[derive(Debug)]
pub struct ErrorAnswer {
    /// Dialect of the backend.
    pub dialect: ProviderDialect,
    /// Its status.
    pub status: u16,
    /// Its headers that are passed on to the client.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// True if the body goes on: it was too long, or took too long.
    pub is_cut: bool,
}

impl ErrorAnswer {
    /// Reads an error. Its status counts, however long the body is or takes.
    pub(super) async fn read(reply: BackendResponse, dialect: ProviderDialect) -> FailedAttempt {
        let BackendResponse { status, headers, mut body } = reply;
        let (mut read, mut is_cut) = (BytesMut::new(), true);
        CallClock::error_body(async {
            while let Some(Ok(chunk)) = body.chunk().await {
                let room = MAX_ERROR - read.len();
                read.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
                if chunk.len() > room {
                    return;
                }
            }
            is_cut = false;
        })
        .await;
        let kind = FailureKind::Status { status, cause: classify_error(dialect, status, &read) };
        let retry_after = retry_after(&headers, std::time::SystemTime::now());
        let answer = Self { dialect, status, headers, body: read.freeze(), is_cut };
        FailedAttempt { failure: CallFailure { kind, retry_after }, answer: Some(Box::new(answer)) }
    }

    /// Returns whether the backend refuses to report the usage of a stream.
    pub(super) fn refuses_stream_usage(&self) -> bool {
        refuses_stream_usage(self.dialect, self.status, &self.body)
    }
}
