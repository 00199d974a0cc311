//! Parsing of a request while it arrives.

use std::sync::Arc;

use bytes::Bytes;

use super::bad_request::BadRequest;
use super::members::RequestVisitor;
use super::request::ChatRequest;
use crate::body::BodyBuilder;
use crate::byte_order_mark::BomStripper;
use crate::json::{JsonError, Scanner};

/// Limits of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanLimits {
    /// Limit of bytes of a body; never more than 4 GiB.
    pub body_bytes: usize,
}

impl Default for ScanLimits {
    /// Returns 32 MiB, which has room for some images.
    fn default() -> Self {
        Self { body_bytes: 32 << 20 }
    }
}

/// Parses a request while it arrives, so that an invalid one is rejected before its end, and
/// parsing is complete with the last byte.
#[derive(Debug, Default)]
pub struct RequestScan {
    limits: ScanLimits,
    /// Byte order mark, which is not forwarded: offsets count from behind it.
    mark: BomStripper,
    scanner: Scanner,
    members: RequestVisitor,
    body: BodyBuilder,
}

impl RequestScan {
    /// Returns a scan that has seen no byte.
    pub fn new(limits: ScanLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Parses the next chunk of the body, which may be cut anywhere. The scan must not be used
    /// after an error.
    pub fn push(&mut self, chunk: Bytes) -> Result<(), BadRequest> {
        let chunk = self.mark.strip(chunk);
        // Offsets in a body have 32 bits.
        let limit = self.limits.body_bytes.min(u32::MAX as usize);
        if self.body.len() + chunk.len() > limit {
            return Err(BadRequest::too_large(limit));
        }
        let scanned = self.scanner.push(&chunk, &mut self.members);
        self.body.push(chunk);
        self.check(scanned)
    }

    /// Ends the body, and returns the request.
    pub fn finish(mut self) -> Result<ChatRequest, BadRequest> {
        let withheld = self.mark.finish();
        self.push(withheld)?;
        let scanned = self.scanner.finish(&mut self.members);
        self.check(scanned)?;
        self.members.into_request(Arc::new(self.body.finish()))
    }

    /// Returns the error of a member before one of the JSON grammar, so that the first error wins
    /// however the body was cut.
    fn check(&mut self, scanned: Result<(), JsonError>) -> Result<(), BadRequest> {
        self.members.take_error()?;
        scanned.map_err(BadRequest::not_json)
    }
}

#[cfg(test)]
mod tests;
