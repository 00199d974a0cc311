//! `log`: lines in the gateway's log. Output that a policy prints through WASI takes the same
//! way and counts against the same limits.

use std::time::Instant;

use pointsman_domain::text::printable;
use wasmtime::StoreContextMut;
use wasmtime::component::WasmStr;

use super::{Capability, OfferedInterface};
use crate::contract::{Level, interface};
use crate::sandbox::StoreData;
use crate::spec::Grants;
use crate::trace::{ImportCall, LogLevel};

/// Lines that one call may write.
pub(super) const MAX_LINES: u32 = 32;
/// Bytes of one line; the rest is cut off.
///
/// A line longer than everything a call may hand to the host fails the call instead: wasmtime
/// charges for a string before the host sees it, however little of it is read, and only an
/// unsafe `Lift` on its internals could ask for less.
pub(super) const MAX_LINE_BYTES: usize = 1024;

pub(super) const CAPABILITY: Capability = Capability {
    interfaces: &[OfferedInterface {
        name: "pointsman:policy/log",
        functions: Some(&["write"]),
        allows: "write lines to the gateway's log, few and short",
    }],
    version_line: interface::VERSION_LINE,
    grant: None,
    link: |linker, _| {
        let mut log = linker.instance(interface::LOG)?;
        log.func_wrap(
            "write",
            |mut store: StoreContextMut<'_, StoreData>, (level, message): (Level, WasmStr)| {
                let data = store.data_mut();
                data.charge_host_call()?;
                // Earlier output comes first in the log.
                data.log_output(false);
                data.record_import(|| ImportCall::new("log", "write", LogLevel::from(level).as_str(), 0));
                if data.log.take_line() {
                    let line = printable(&message.to_str(&store)?, MAX_LINE_BYTES);
                    if level == Level::Error {
                        store.data_mut().remember_error(&line);
                    }
                    store.data().write_line(level, &line);
                }
                Ok(())
            },
        )
    },
};

/// Log lines left to one call.
pub(in crate::sandbox) struct LogAllowance {
    lines: u32,
    /// Lines beyond the allowance, not yet added to the policy's counter.
    dropped: u32,
}

impl Default for LogAllowance {
    fn default() -> Self {
        Self { lines: MAX_LINES, dropped: 0 }
    }
}

impl LogAllowance {
    /// Takes one line, or counts it as dropped.
    pub(super) fn take_line(&mut self) -> bool {
        match self.lines.checked_sub(1) {
            None => self.dropped += 1,
            Some(left) => {
                self.lines = left;
                return true;
            }
        }
        false
    }

    pub(super) fn count_dropped(&mut self, lines: u32) {
        self.dropped += lines;
    }
}

impl StoreData {
    /// Writes a line, unless the policy has written too many in the last second.
    pub(super) fn write_line(&self, level: Level, line: &str) {
        if let Some(trace) = &self.trace {
            trace.record_line(level, line);
            return;
        }
        let lines_per_second = self.policy.limits.log_lines_per_second;
        if !is_enabled(level) || !self.policy.log_rate.admit(lines_per_second, Instant::now()) {
            return;
        }
        let policy = self.policy.name.as_str();
        let decision = self.input.as_ref().map_or("", |input| input.request.id.as_str());
        // The line may repeat content, so it is marked for those who forward the log.
        let reads_content = self.policy.grants.intersects(Grants::PROMPT | Grants::OUTPUTS).then_some(true);
        match level {
            Level::Debug => tracing::debug!(policy, decision, reads_content, "{line}"),
            Level::Info => tracing::info!(policy, decision, reads_content, "{line}"),
            Level::Warn => tracing::warn!(policy, decision, reads_content, "{line}"),
            Level::Error => tracing::error!(policy, decision, reads_content, "{line}"),
        }
    }

    /// Writes the remaining output of a call, and reports the lines that were dropped.
    pub(in crate::sandbox) fn flush_log(&mut self) {
        self.log_output(true);
        let dropped = std::mem::take(&mut self.log.dropped);
        let rate = &self.policy.log_rate;
        if dropped > 0 {
            rate.drop_lines(dropped.into());
        }
        if rate.has_report()
            && let Some(dropped) = rate.take_report(Instant::now())
        {
            let (policy, per_second) = (&self.policy.name, self.policy.limits.log_lines_per_second);
            tracing::warn!(
                %policy,
                dropped,
                "dropped log lines of the policy: it may write {MAX_LINES} in one call and {per_second} per second"
            );
        }
    }
}

/// Returns whether the gateway's log has lines of this level. Others cost no allowance.
fn is_enabled(level: Level) -> bool {
    match level {
        Level::Debug => tracing::enabled!(tracing::Level::DEBUG),
        Level::Info => tracing::enabled!(tracing::Level::INFO),
        Level::Warn => tracing::enabled!(tracing::Level::WARN),
        Level::Error => tracing::enabled!(tracing::Level::ERROR),
    }
}
