//! Reads answers within the bounds on memory.

use bytes::{Bytes, BytesMut};
use pointsman_backends::ReplyBody;
use pointsman_domain::failure::{CallFailure, FailureKind};
use pointsman_wire::openai::chat::StreamRelay;

use crate::memory::{MemoryLease, OutOfMemory};

/// The first buffer for a body that does not come in one piece.
const FIRST_BUFFER: usize = 16 * 1024;

/// Reads a whole body, in one piece, which the lease counts. Fails when it is longer
/// than one answer may be.
pub(super) async fn whole(mut body: ReplyBody, memory: &mut MemoryLease) -> Result<Bytes, CallFailure> {
    let limit = memory.limits().answer;
    let Some(first) = body.chunk().await.transpose()? else { return Ok(Bytes::new()) };
    check_length(first.len(), limit)?;
    memory.grow(first.len())?;
    let mut next = body.chunk().await.transpose()?;
    if next.is_none() {
        return Ok(first);
    }
    let mut whole = Vec::new();
    append(&mut whole, &first, limit, memory)?;
    drop(first);
    while let Some(chunk) = next {
        append(&mut whole, &chunk, limit, memory)?;
        next = body.chunk().await.transpose()?;
    }
    Ok(whole.into())
}

/// Appends to a buffer that grows as a vector does, but never beyond the limit, and is
/// counted before it is allocated.
fn append(
    whole: &mut Vec<u8>,
    chunk: &[u8],
    limit: usize,
    memory: &mut MemoryLease,
) -> Result<(), CallFailure> {
    let length = whole.len() + chunk.len();
    check_length(length, limit)?;
    if length > whole.capacity() {
        let capacity = length.max(2 * whole.capacity()).max(FIRST_BUFFER).min(limit);
        memory.resize(capacity)?;
        whole.reserve_exact(capacity - whole.len());
    }
    whole.extend_from_slice(chunk);
    Ok(())
}

fn check_length(length: usize, limit: usize) -> Result<(), CallFailure> {
    if length <= limit {
        return Ok(());
    }
    let kind = FailureKind::Broken(format!("longer than {limit} bytes"));
    Err(CallFailure { kind, retry_after: None })
}

/// The beginning of a stream, held until its first content.
#[derive(Default)]
pub(super) struct Beginning {
    /// The first piece as it came: nearly always the only one.
    first: Bytes,
    /// Copies of the others: each would keep the buffer that it was read into.
    others: BytesMut,
}

impl Beginning {
    /// Adds what the relay passes on.
    pub(super) fn extend(&mut self, pieces: &mut Vec<Bytes>) {
        for piece in pieces.drain(..) {
            if self.first.is_empty() {
                self.first = piece;
            } else {
                self.others.extend_from_slice(&piece);
            }
        }
    }

    /// Bytes that it holds, with those of the event under way.
    pub(super) fn held_bytes(&self, relay: &StreamRelay) -> usize {
        self.first.len() + self.others.capacity() + relay.held_bytes()
    }

    /// All of it, in order.
    pub(super) fn into_pieces(self) -> Vec<Bytes> {
        let pieces = [self.first, self.others.freeze()];
        pieces.into_iter().filter(|piece| !piece.is_empty()).collect()
    }
}

impl From<OutOfMemory> for CallFailure {
    fn from(_: OutOfMemory) -> Self {
        Self { kind: FailureKind::NoMemory, retry_after: None }
    }
}
