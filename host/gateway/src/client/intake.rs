//! Takes in a request body, decoding it while it arrives.

use std::time::Duration;

use axum::body::Body;
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt;
use pointsman_wire::openai::chat::{BadRequest, ChatRequest, RequestScan, ScanLimits};

use super::error::ApiError;

/// A client has this long to send its body.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads a chat request of at most `limit` bytes.
pub(super) async fn chat_request(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<ChatRequest, ApiError> {
    if announced_length(headers).is_some_and(|length| length > limit as u64) {
        let message = format!("the request body is larger than {limit} bytes, the limit of this gateway");
        return Err(ApiError::too_large(message));
    }
    match tokio::time::timeout(PATIENCE, read(body, limit)).await {
        Ok(read) => read,
        Err(_) => {
            let message = format!("the request body did not arrive within {} s", PATIENCE.as_secs());
            Err(ApiError::request_timeout(message))
        }
    }
}

async fn read(mut body: Body, limit: usize) -> Result<ChatRequest, ApiError> {
    let mut scan = RequestScan::new(ScanLimits { body_bytes: limit });
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            ApiError::bad_request("incomplete_body", None, format!("the request body broke off: {error}"))
        })?;
        if let Ok(chunk) = frame.into_data() {
            scan.push(chunk)?;
        }
    }
    Ok(scan.finish()?)
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl From<BadRequest> for ApiError {
    fn from(bad: BadRequest) -> Self {
        if bad.status == 413 {
            return Self::too_large(bad.message);
        }
        Self::bad_request(bad.code.unwrap_or("invalid_request"), bad.param, bad.message)
    }
}
