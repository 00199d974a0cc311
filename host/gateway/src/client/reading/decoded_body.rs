//! The body of a request without its content codings.

use axum::body::{Body, Bytes};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body_util::BodyExt;
use pointsman_domain::serving_error::{ErrorKind, ServingError};
use pointsman_wire::content_coding::{self, DecodeError, Decoder};

use super::larger_than;

/// A body that is decoded while it arrives, in pieces of bounded size.
pub(super) struct DecodedBody<'b> {
    body: &'b mut Body,
    /// Present for a body with content codings, with what arrived and is not decoded yet.
    decoding: Option<(Decoder, Bytes)>,
    /// Bytes that arrived.
    received: usize,
    limit: usize,
}

impl<'b> DecodedBody<'b> {
    /// Checks that the codings which the headers name are known. Of an encoded body, at most
    /// `limit` bytes are read; its decoded bytes are the caller's to count.
    pub(super) fn new(headers: &HeaderMap, body: &'b mut Body, limit: usize) -> Result<Self, ServingError> {
        let codings = headers.get_all(CONTENT_ENCODING).iter().map(|value| value.as_bytes());
        let decoder = Decoder::for_values(codings).map_err(|unsupported| {
            let supported = content_coding::SUPPORTED;
            ServingError::new(
                ErrorKind::UnsupportedContentCoding,
                format!("{unsupported}: send {supported} or none"),
            )
        })?;
        Ok(Self { body, decoding: decoder.map(|decoder| (decoder, Bytes::new())), received: 0, limit })
    }

    /// Returns the next bytes; `None` at the end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, ServingError> {
        loop {
            if let Some((decoder, encoded)) = &mut self.decoding
                && let Some(piece) = decoder.decode(encoded).map_err(undecodable)?
            {
                // One chunk may become any number of pieces, which must not keep a thread
                // from others.
                tokio::task::consume_budget().await;
                return Ok(Some(piece));
            }
            let Some(frame) = self.body.frame().await else {
                if let Some((decoder, _)) = &self.decoding {
                    decoder.finish().map_err(undecodable)?;
                }
                return Ok(None);
            };
            let Ok(chunk) = frame.map_err(broken_off)?.into_data() else { continue };
            let Some((_, encoded)) = &mut self.decoding else {
                return Ok(Some(chunk));
            };
            self.received += chunk.len();
            if self.received > self.limit {
                return Err(larger_than(self.limit as u64));
            }
            *encoded = chunk;
        }
    }
}

fn broken_off(error: axum::Error) -> ServingError {
    ServingError::new(ErrorKind::IncompleteBody, format!("the request body broke off: {error}"))
}

fn undecodable(error: DecodeError) -> ServingError {
    ServingError::new(ErrorKind::InvalidContentCoding, format!("the request body is broken: {error}"))
}
