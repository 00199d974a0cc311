//! Reads answers within the bounds on memory and time.

use bytes::Bytes;
use pointsman_backends::BackendBody;
use pointsman_domain::failure::{CallFailure, FailureKind};

use super::clock::CallClock;
use crate::memory::{MemoryLease, OutOfMemory};

/// The first buffer for a body that does not come in one piece.
const FIRST_BUFFER: usize = 16 * 1024;

/// Reads a whole body, in one piece, which the lease counts. Fails when it is longer than one
/// answer may be.
pub(super) async fn whole(
    mut body: BackendBody,
    clock: &CallClock,
    memory: &mut MemoryLease,
) -> Result<Bytes, CallFailure> {
    match clock.first_piece(&mut body).await? {
        Some(first) => rest(first, &mut body, clock, memory).await,
        None => Ok(Bytes::new()),
    }
}

/// Reads the rest of a body after its first piece, as [`whole`] does.
pub(super) async fn rest(
    first: Bytes,
    body: &mut BackendBody,
    clock: &CallClock,
    memory: &mut MemoryLease,
) -> Result<Bytes, CallFailure> {
    let limit = memory.limits().answer;
    check_length(first.len(), limit)?;
    memory.grow(first.len())?;
    let mut has_content = !first.trim_ascii_start().is_empty();
    let Some(second) = next_piece(body, clock, has_content).await? else { return Ok(first) };
    let mut whole = Vec::new();
    append(&mut whole, &first, limit, memory)?;
    drop(first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        has_content = has_content || !chunk.trim_ascii_start().is_empty();
        append(&mut whole, &chunk, limit, memory)?;
        next = next_piece(body, clock, has_content).await?;
    }
    Ok(whole.into())
}

/// Some servers send white space while the model works.
async fn next_piece(
    body: &mut BackendBody,
    clock: &CallClock,
    has_content: bool,
) -> Result<Option<Bytes>, CallFailure> {
    if has_content { clock.piece(body).await } else { clock.first_piece(body).await }
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

impl From<OutOfMemory> for CallFailure {
    fn from(_: OutOfMemory) -> Self {
        Self { kind: FailureKind::NoMemory, retry_after: None }
    }
}
