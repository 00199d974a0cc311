//! The limit on the linear memory of one instance.

use wasmtime::ResourceLimiter;

use crate::engine::{MAX_CORE_INSTANCES, MAX_MEMORIES, MAX_TABLE_ELEMENTS, MAX_TABLES};

/// Counts the linear memory of one instance and denies growth beyond a limit.
pub(crate) struct MemoryMeter {
    limit: usize,
    used: usize,
    denied: bool,
}

impl MemoryMeter {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, used: 0, denied: false }
    }

    /// Bytes in use. WebAssembly memory never shrinks, so this is also the peak.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// Returns whether growth was denied since the last [`reset_denied`](Self::reset_denied).
    pub(super) fn denied(&self) -> bool {
        self.denied
    }

    pub(super) fn reset_denied(&mut self) {
        self.denied = false;
    }
}

impl ResourceLimiter for MemoryMeter {
    /// Denied growth is no trap: `memory.grow` returns -1, and a policy may cope with that. If
    /// it traps instead, `denied` lets the caller report the real reason.
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.limit {
            self.denied = true;
            return Ok(false);
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        MAX_CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        MAX_TABLES as usize
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES as usize
    }
}
