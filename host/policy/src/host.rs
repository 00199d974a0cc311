//! What an instance holds and may use of the host.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use pointsman_domain::ids::PolicyName;
use pointsman_domain::prompt::Prompt;
use wasmtime::{ResourceLimiter, UpdateDeadline};

use crate::contract::Level;
use crate::contract::plan::count;
use crate::decision::DecisionInput;
use crate::log_rate::LogRate;
use crate::runtime::{MAX_CORE_INSTANCES, MAX_MEMORIES, MAX_TABLE_ELEMENTS, MAX_TABLES, TICK};
use crate::spec::{Grants, HostCalls, Limits, PolicySpec};

mod imports;
mod wasi;

pub(crate) use imports::add_contract;
use wasi::Wasi;
pub(crate) use wasi::add_wasi;

/// Ticks after which a call is seen running for the first time, and then at each.
/// One would be seen by chance: a call of 10 µs meets one of a hundred ticks. Who
/// meets two has run for a whole tick at least.
pub(crate) const FIRST_LOOK: u64 = 2;
/// Parts of a conversation that a policy sees: the newest.
const MAX_PARTS: usize = 1_024;
/// Lines of the log that one call may write.
const LOG_LINES: u32 = 32;
/// Bytes of one log line; the rest is cut off. A line of more than all that a
/// call may hand to the host fails the call instead: wasmtime charges for a
/// string before the host sees it, however little of it is read, and nothing
/// but an unsafe `Lift` on its internals would ask for less.
const LOG_LINE_BYTES: usize = 1024;

/// What all instances of a policy have in common.
pub(crate) struct Context {
    name: PolicyName,
    settings: Arc<str>,
    grants: Grants,
    limits: Limits,
    /// The running time of one call in ticks.
    ticks: u64,
    /// The largest linear memory that an instance had, in bytes.
    peak_memory: AtomicUsize,
    log_rate: Arc<LogRate>,
}

impl Context {
    pub(crate) fn new(spec: &PolicySpec, log_rate: Arc<LogRate>) -> Self {
        let ticks = spec.limits.deadline.as_nanos().div_ceil(TICK.as_nanos());
        Self {
            name: spec.name.clone(),
            settings: spec.settings.as_str().into(),
            grants: spec.grants,
            limits: spec.limits,
            ticks: u64::try_from(ticks).unwrap_or(u64::MAX),
            peak_memory: AtomicUsize::new(0),
            log_rate,
        }
    }

    /// The time of one call in ticks.
    pub(crate) fn ticks(&self) -> u64 {
        self.ticks
    }

    /// Log lines of all versions of the policy that were not written.
    pub(crate) fn log_lines_dropped(&self) -> u64 {
        self.log_rate.dropped()
    }

    pub(crate) fn peak_memory(&self) -> usize {
        self.peak_memory.load(Ordering::Relaxed)
    }

    /// Instances of all threads meet here, so nothing is written but what is new.
    fn saw_memory(&self, bytes: usize) {
        if bytes > self.peak_memory() {
            self.peak_memory.fetch_max(bytes, Ordering::Relaxed);
        }
    }

    /// Whether it was granted to read what clients or models say.
    fn reads_content(&self) -> bool {
        self.grants.intersects(Grants::PROMPT | Grants::OUTPUTS)
    }
}

/// The data of one store: one instance of one policy.
pub(crate) struct Host {
    policy: Arc<Context>,
    /// What is being decided; nothing during `validate` and `observe`.
    input: Option<DecisionInput>,
    left: Budget,
    memory: MemoryMeter,
    wasi: Option<Box<Wasi>>,
}

/// What is left to one call.
struct Budget {
    ticks: u64,
    host_calls: u32,
    /// True if `host_calls` is to grow with the request once it is used up. Few
    /// policies come that far, so nothing is counted before.
    scales: bool,
    /// Whether it has called WASI more often than that.
    overdrawn: bool,
    prompt_bytes: usize,
    log_lines: u32,
    log_lines_dropped: u32,
}

/// More calls of the host than the limit.
#[derive(Debug, thiserror::Error)]
#[error("the policy called the host too often")]
pub(crate) struct HostCallsExceeded;

impl Host {
    pub(crate) fn new(policy: Arc<Context>, input: Option<DecisionInput>) -> Self {
        Self {
            left: Budget::of(&policy),
            memory: MemoryMeter { limit: policy.limits.memory_bytes, used: 0, denied: false },
            policy,
            input,
            wasi: None,
        }
    }

    /// Gives a call its input and its full budget.
    pub(crate) fn begin(&mut self, input: Option<DecisionInput>) {
        self.left = Budget::of(&self.policy);
        self.memory.denied = false;
        self.input = input;
    }

    /// Forgets the request, so that an idle instance holds nothing of it.
    pub(crate) fn end(&mut self) {
        self.log_printed(true);
        self.policy.saw_memory(self.memory.used);
        self.input = None;
        let dropped = std::mem::take(&mut self.left.log_lines_dropped);
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
                "dropped log lines of the policy: it may write {LOG_LINES} in one call and {per_second} per second"
            );
        }
    }

    pub(crate) fn memory(&mut self) -> &mut MemoryMeter {
        &mut self.memory
    }

    /// Whether the policy was refused memory during this call.
    pub(crate) fn memory_denied(&self) -> bool {
        self.memory.denied
    }

    /// Fails if this call of the policy has made too many of WASI.
    pub(crate) fn check_wasi_calls(&self) -> wasmtime::Result<()> {
        if self.left.overdrawn { Err(HostCallsExceeded.into()) } else { Ok(()) }
    }

    /// What to do when the policy was seen running at a tick.
    pub(crate) fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        self.check_wasi_calls()?;
        Ok(match self.left.ticks.checked_sub(1) {
            None => UpdateDeadline::Interrupt,
            Some(left) => {
                self.left.ticks = left;
                UpdateDeadline::Yield(1)
            }
        })
    }

    fn count_call(&mut self) -> wasmtime::Result<()> {
        if self.take_call() { Ok(()) } else { Err(HostCallsExceeded.into()) }
    }

    /// WASI's own code answers its calls, and nothing here can fail one: the next
    /// tick of a policy that made too many stops it, and its answer does not count.
    fn count_wasi_call(&mut self) {
        if !self.take_call() {
            self.left.overdrawn = true;
        }
    }

    /// Takes a call out of the budget, if one is left.
    fn take_call(&mut self) -> bool {
        if self.left.host_calls == 0 && std::mem::take(&mut self.left.scales) {
            self.left.host_calls = self.calls_for_items();
        }
        match self.left.host_calls.checked_sub(1) {
            None => false,
            Some(left) => {
                self.left.host_calls = left;
                true
            }
        }
    }

    /// Calls for what the policy can ask about one by one.
    fn calls_for_items(&self) -> u32 {
        let Some(input) = &self.input else { return 0 };
        let parts = input.prompt.parts().len().min(MAX_PARTS);
        count(input.candidates.len() + parts).saturating_mul(HostCalls::PER_ITEM)
    }

    fn may_log(&mut self) -> bool {
        match self.left.log_lines.checked_sub(1) {
            None => self.left.log_lines_dropped += 1,
            Some(left) => {
                self.left.log_lines = left;
                return true;
            }
        }
        false
    }

    /// Writes a line, unless the policy has written too many in the last second.
    fn write_line(&self, level: Level, line: &str) {
        let lines_per_second = self.policy.limits.log_lines_per_second;
        if !is_written(level) || !self.policy.log_rate.admit(lines_per_second, Instant::now()) {
            return;
        }
        let policy = self.policy.name.as_str();
        let decision = self.input.as_ref().map_or("", |input| input.request.id.as_str());
        // It may repeat what it reads, so whoever passes logs on can tell.
        let reads_content = self.policy.reads_content().then_some(true);
        match level {
            Level::Debug => tracing::debug!(policy, decision, reads_content, "{line}"),
            Level::Info => tracing::info!(policy, decision, reads_content, "{line}"),
            Level::Warn => tracing::warn!(policy, decision, reads_content, "{line}"),
            Level::Error => tracing::error!(policy, decision, reads_content, "{line}"),
        }
    }

    /// A copy of a part of the prompt, cut to `max_bytes` and to what is left.
    fn read(&mut self, max_bytes: u32, part: impl FnOnce(&dyn Prompt) -> Option<&str>) -> Option<String> {
        let text = part(&*self.input.as_ref()?.prompt)?;
        Some(self.left.copy_prompt(text, max_bytes as usize))
    }

    /// A copy of what a task gave, cut likewise.
    fn read_output(&mut self, task: u32, max_bytes: u32) -> Option<String> {
        let Self { input: Some(input), left, .. } = self else { return None };
        let output = input.orchestration.results.get(task as usize)?.output.as_deref()?;
        Some(left.copy_prompt(output, max_bytes as usize))
    }

    /// Tool names, as many as what is left of the prompt allows.
    fn tool_names(&mut self) -> Vec<String> {
        let Self { input: Some(input), left, .. } = self else { return Vec::new() };
        let names = input.prompt.tool_names();
        let whole = names.iter().map_while(|name| left.copy_whole_prompt(name));
        whole.collect()
    }
}

/// What was printed by a policy that was stopped is logged too.
impl Drop for Host {
    fn drop(&mut self) {
        self.end();
    }
}

impl Budget {
    fn of(policy: &Context) -> Self {
        Self {
            // By the first look, more than one has passed.
            ticks: policy.ticks.saturating_sub(FIRST_LOOK - 1),
            host_calls: match policy.limits.host_calls {
                HostCalls::Scaled => HostCalls::BASE,
                HostCalls::Exactly(calls) => calls,
            },
            scales: policy.limits.host_calls == HostCalls::Scaled,
            overdrawn: false,
            prompt_bytes: policy.limits.prompt_bytes as usize,
            log_lines: LOG_LINES,
            log_lines_dropped: 0,
        }
    }

    /// The start of a text, as far as it and the allowance go.
    fn copy_prompt(&mut self, text: &str, max_bytes: usize) -> String {
        let end = text.floor_char_boundary(self.prompt_bytes.min(max_bytes));
        self.prompt_bytes -= end;
        text[..end].to_owned()
    }

    /// A text that makes no sense in part.
    fn copy_whole_prompt(&mut self, text: &str) -> Option<String> {
        self.prompt_bytes = self.prompt_bytes.checked_sub(text.len())?;
        Some(text.to_owned())
    }
}

/// Returns whether the gateway's log has lines of this level. Others are not counted.
fn is_written(level: Level) -> bool {
    match level {
        Level::Debug => tracing::enabled!(tracing::Level::DEBUG),
        Level::Info => tracing::enabled!(tracing::Level::INFO),
        Level::Warn => tracing::enabled!(tracing::Level::WARN),
        Level::Error => tracing::enabled!(tracing::Level::ERROR),
    }
}

/// Linear memory of one instance.
pub(crate) struct MemoryMeter {
    limit: usize,
    used: usize,
    denied: bool,
}

impl ResourceLimiter for MemoryMeter {
    /// Denied growth is no trap: a policy may cope with it. One that does not
    /// traps, and then `denied` says why.
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
