//! The memory that requests and answers hold, bounded over all of them.
//!
//! Code that holds bytes of a client or a backend grows a [`MemoryLease`] first, and drops the bytes
//! no later than the lease. Counting takes two atomic additions, so it costs small requests next to
//! nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use pointsman_config::MemoryLimits;

/// Bytes of each lease that count towards the total alone: a client that fills the bound of
/// one kind with large bodies cannot keep small ones out.
const SMALL: usize = 64 * 1024;

/// Purpose of held memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldFor {
    /// Bodies of requests.
    RequestBodies,
    /// Answers, outputs of tasks among them.
    Answers,
}

/// Memory held at the moment, over all requests.
#[derive(Debug, Default)]
pub struct HeldMemory {
    total: AtomicUsize,
    request_bodies: AtomicUsize,
    answers: AtomicUsize,
}

/// Memory that is counted as held until the lease is dropped.
#[derive(Debug)]
pub struct MemoryLease {
    held: Arc<HeldMemory>,
    purpose: HeldFor,
    limits: MemoryLimits,
    bytes: usize,
}

/// One of the limits is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the gateway holds as many request bodies and answers as it may")]
pub struct OutOfMemory;

impl HeldMemory {
    /// A lease of nothing, to be grown within these limits.
    pub fn lease(self: &Arc<Self>, purpose: HeldFor, limits: MemoryLimits) -> MemoryLease {
        MemoryLease { held: Arc::clone(self), purpose, limits, bytes: 0 }
    }

    /// Bytes held for a purpose, without those of each lease that count towards the total
    /// alone.
    pub fn large(&self, purpose: HeldFor) -> usize {
        self.of(purpose).load(Ordering::Relaxed)
    }

    /// Bytes held for all purposes.
    pub fn total(&self) -> usize {
        self.total.load(Ordering::Relaxed)
    }

    fn of(&self, purpose: HeldFor) -> &AtomicUsize {
        match purpose {
            HeldFor::RequestBodies => &self.request_bodies,
            HeldFor::Answers => &self.answers,
        }
    }
}

impl MemoryLease {
    /// Returns the limits of the lease.
    pub fn limits(&self) -> &MemoryLimits {
        &self.limits
    }

    /// Counts further bytes as held, or none of them if a limit would be exceeded.
    pub fn grow(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        let grown = self.bytes.checked_add(bytes).ok_or(OutOfMemory)?;
        add_within(&self.held.total, bytes, self.limits.total)?;
        let beyond_small = large_part(grown) - large_part(self.bytes);
        if let Err(full) = add_within(self.held.of(self.purpose), beyond_small, self.limit_of_purpose()) {
            self.held.total.fetch_sub(bytes, Ordering::Relaxed);
            return Err(full);
        }
        self.bytes = grown;
        Ok(())
    }

    /// Sets the number of bytes held.
    pub fn resize(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        if bytes > self.bytes {
            return self.grow(bytes - self.bytes);
        }
        self.shrink(bytes);
        Ok(())
    }

    /// Ties the lease to bytes, until the last copy of them is dropped.
    pub fn attach_to(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(LeasedBytes { bytes, _lease: self })
    }

    fn shrink(&mut self, to: usize) {
        self.held.total.fetch_sub(self.bytes - to, Ordering::Relaxed);
        let beyond_small = large_part(self.bytes) - large_part(to);
        self.held.of(self.purpose).fetch_sub(beyond_small, Ordering::Relaxed);
        self.bytes = to;
    }

    fn limit_of_purpose(&self) -> usize {
        match self.purpose {
            HeldFor::RequestBodies => self.limits.request_bodies,
            HeldFor::Answers => self.limits.answers,
        }
    }
}

impl Drop for MemoryLease {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

struct LeasedBytes {
    bytes: Bytes,
    _lease: MemoryLease,
}

impl AsRef<[u8]> for LeasedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The part of a lease that counts towards the bound of its purpose.
const fn large_part(bytes: usize) -> usize {
    bytes.saturating_sub(SMALL)
}

/// Adds bytes, and subtracts them again if they exceed the limit. This is simpler than a
/// compare-exchange loop; in exchange, two concurrent calls near the limit may both fail.
fn add_within(count: &AtomicUsize, bytes: usize, limit: usize) -> Result<(), OutOfMemory> {
    if bytes == 0 {
        return Ok(());
    }
    let before = count.fetch_add(bytes, Ordering::Relaxed);
    if before.checked_add(bytes).is_some_and(|sum| sum <= limit) {
        return Ok(());
    }
    count.fetch_sub(bytes, Ordering::Relaxed);
    Err(OutOfMemory)
}

#[cfg(test)]
mod tests;
