use std::sync::Arc;

use bytes::Bytes;

use super::bad_request::BadRequest;
use super::members::RequestVisitor;
use super::request::ChatRequest;
use crate::body::BodyBuilder;
use crate::byte_order_mark::BomStripper;
use crate::json::{JsonError, Scanner};

/// Bounds of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanLimits {
    /// Most bytes of a body; never more than 4 GiB.
    pub body_bytes: usize,
}

impl Default for ScanLimits {
    /// 32 MiB: some images.
    fn default() -> Self {
        Self { body_bytes: 32 << 20 }
    }
}

/// Reads a request while it arrives, so that a bad one is refused before its
/// end, and the work is done when the last byte comes.
#[derive(Debug, Default)]
pub struct RequestScan {
    limits: ScanLimits,
    /// Not forwarded, so places are counted from behind it.
    mark: BomStripper,
    scanner: Scanner,
    members: RequestVisitor,
    body: BodyBuilder,
}

impl RequestScan {
    /// Before the first byte.
    pub fn new(limits: ScanLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Reads the next chunk of the body, cut anywhere. After an error the scan
    /// is of no more use.
    pub fn push(&mut self, chunk: Bytes) -> Result<(), BadRequest> {
        let chunk = self.mark.strip(chunk);
        // Places in a body are kept in 32 bits.
        let limit = self.limits.body_bytes.min(u32::MAX as usize);
        if self.body.len() + chunk.len() > limit {
            return Err(BadRequest::too_large(limit));
        }
        let scanned = self.scanner.push(&chunk, &mut self.members);
        self.body.push(chunk);
        self.check(scanned)
    }

    /// Says that the body has ended.
    pub fn finish(mut self) -> Result<ChatRequest, BadRequest> {
        let withheld = self.mark.finish();
        self.push(withheld)?;
        let scanned = self.scanner.finish(&mut self.members);
        self.check(scanned)?;
        self.members.into_request(Arc::new(self.body.finish()))
    }

    /// What the members are at fault for comes before the bytes that are no
    /// JSON, so the first error wins however the body was cut.
    fn check(&mut self, scanned: Result<(), JsonError>) -> Result<(), BadRequest> {
        self.members.take_error()?;
        scanned.map_err(BadRequest::not_json)
    }
}

#[cfg(test)]
mod tests;
