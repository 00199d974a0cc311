//! The data of one store, and the budget of one call.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pointsman_domain::ids::PolicyName;
use pointsman_state::{PolicyState, StateAccess, StateCall};
use wasmtime::UpdateDeadline;

use super::capability::log::LogAllowance;
use super::capability::outline::MAX_PARTS;
use super::capability::prompt::ContentAllowance;
use super::capability::wasi::Wasi;
use super::memory::MemoryMeter;
use crate::contract::saturating_u32;
use crate::decision::{DecisionInput, StateUse};
use crate::engine::{FIRST_YIELD_TICKS, TICK};
use crate::log_rate::LogRate;
use crate::spec::{Grants, HostCalls, Limits, PolicySpec};
use crate::trace::{ImportCall, TraceRecorder};

/// State shared by all instances of a policy.
pub(crate) struct PolicyContext {
    pub(super) name: PolicyName,
    pub(super) settings: Arc<str>,
    pub(super) grants: Grants,
    pub(super) limits: Limits,
    /// State that it keeps, if it imports that.
    pub(super) state: Option<Arc<PolicyState>>,
    /// Running time of one call, in ticks.
    deadline_ticks: u64,
    /// Largest linear memory of any instance so far, in bytes.
    peak_memory: AtomicUsize,
    pub(super) log_rate: Arc<LogRate>,
    /// Instructions that one call may execute; `None` if they are not counted.
    fuel: Option<u64>,
}

impl PolicyContext {
    pub(crate) fn new(
        spec: &PolicySpec,
        state: Option<Arc<PolicyState>>,
        log_rate: Arc<LogRate>,
        fuel: Option<u64>,
    ) -> Self {
        let ticks = spec.limits.deadline.as_nanos().div_ceil(TICK.as_nanos());
        Self {
            name: spec.name.clone(),
            settings: spec.settings.as_str().into(),
            grants: spec.grants,
            limits: spec.limits,
            state,
            deadline_ticks: u64::try_from(ticks).unwrap_or(u64::MAX),
            peak_memory: AtomicUsize::new(0),
            log_rate,
            fuel,
        }
    }

    /// State that it keeps, if it imports that.
    pub(crate) fn state(&self) -> Option<&Arc<PolicyState>> {
        self.state.as_ref()
    }

    /// Running time of one call, in ticks.
    pub(crate) fn deadline_ticks(&self) -> u64 {
        self.deadline_ticks
    }

    /// Returns whether failures may quote error lines: those of a policy that reads no content.
    fn quotes_errors(&self) -> bool {
        !self.grants.intersects(Grants::PROMPT | Grants::OUTPUTS)
    }

    /// Log lines that were dropped, over all versions of the policy.
    pub(crate) fn log_lines_dropped(&self) -> u64 {
        self.log_rate.dropped()
    }

    /// Largest linear memory of any instance so far, in bytes.
    pub(crate) fn peak_memory(&self) -> usize {
        self.peak_memory.load(Ordering::Relaxed)
    }

    /// Instances on all threads share this cache line, so it is written only when the peak rises.
    fn record_memory(&self, bytes: usize) {
        if bytes > self.peak_memory() {
            self.peak_memory.fetch_max(bytes, Ordering::Relaxed);
        }
    }
}

/// Subject of a call.
pub(crate) struct CallContext {
    /// The decision; `None` for other calls.
    input: Option<DecisionInput>,
    state_use: StateUse,
}

impl CallContext {
    /// The context of a decision.
    pub(crate) fn decision(input: &DecisionInput) -> Self {
        Self { input: Some(input.clone()), state_use: input.state.clone() }
    }

    /// The context of a call that reports on an earlier decision of the policy.
    pub(crate) fn event(access: StateAccess) -> Self {
        Self { input: None, state_use: access.into() }
    }

    /// The context of `validate`.
    pub(crate) fn validation() -> Self {
        Self::event(StateAccess::Discarded)
    }
}

/// The data of one store: one instance of one policy.
pub(crate) struct StoreData {
    pub(super) policy: Arc<PolicyContext>,
    /// The decision under way; `None` during `validate`, `observe` and `rate`.
    pub(super) input: Option<DecisionInput>,
    /// Access of this call to the state.
    pub(super) state_use: StateUse,
    /// State as this call sees it, from its first access on.
    pub(super) state: Option<StateCall>,
    budget: CallBudget,
    pub(super) content: ContentAllowance,
    pub(super) log: LogAllowance,
    memory: MemoryMeter,
    /// Built at the first WASI call. Most decisions make none.
    pub(super) wasi: Option<Box<Wasi>>,
    /// Recorder of an examined call; `None` for requests.
    pub(super) trace: Option<TraceRecorder>,
    /// Lines of this call on standard error or at level `error`.
    errors: ErrorLines,
    /// True if failures may quote `errors`, because they cannot contain content of clients.
    quotes_errors: bool,
}

/// Ticks and host calls left to one call.
struct CallBudget {
    ticks: u64,
    host_calls: u32,
    /// True until `host_calls` has been raised by the size of the request. Few policies use up
    /// the base allowance, so the size is not computed before.
    scales: bool,
    /// True once WASI was called more often than `host_calls` allows.
    overdrawn: bool,
}

/// First and last error line of a call. One language prints its message first, another one last.
#[derive(Default)]
struct ErrorLines {
    first: Option<Box<str>>,
    last: Option<Box<str>>,
}

impl ErrorLines {
    fn push(&mut self, line: &str) {
        let place = if self.first.is_none() { &mut self.first } else { &mut self.last };
        *place = Some(line.trim().into());
    }

    fn quote(&self) -> Option<String> {
        let first = self.first.as_deref()?;
        Some(self.last.as_deref().map_or_else(|| first.to_owned(), |last| format!("{first} … {last}")))
    }
}

/// The policy called imported functions more often than its limit.
#[derive(Debug, thiserror::Error)]
#[error("the policy called the host too often")]
pub(crate) struct HostCallsExceeded;

impl StoreData {
    pub(crate) fn new(policy: Arc<PolicyContext>, call: CallContext) -> Self {
        let CallContext { input, state_use } = call;
        Self {
            budget: CallBudget::new(&policy),
            content: ContentAllowance::new(&policy.limits),
            log: LogAllowance::default(),
            memory: MemoryMeter::new(policy.limits.memory_bytes),
            quotes_errors: policy.quotes_errors(),
            policy,
            input,
            state_use,
            state: None,
            wasi: None,
            trace: None,
            errors: ErrorLines::default(),
        }
    }

    /// Lets failures quote the policy's own error lines, whatever it is granted.
    pub(crate) fn quoting_errors(mut self) -> Self {
        self.quotes_errors = true;
        self
    }

    /// Records what the policy does in this call, whose failures may quote its error lines.
    pub(crate) fn record(&mut self, trace: TraceRecorder) {
        self.trace = Some(trace);
        self.quotes_errors = true;
    }

    /// Records a call of an imported function, if this call is examined.
    pub(super) fn record_import(&self, call: impl FnOnce() -> ImportCall) {
        if let Some(trace) = &self.trace {
            trace.record_import(call());
        }
    }

    /// Remembers a line that may explain a failure.
    pub(super) fn remember_error(&mut self, line: &str) {
        if self.quotes_errors {
            self.errors.push(line);
        }
    }

    /// Returns the error lines of this call, if failures may quote them.
    pub(crate) fn error_lines(&self) -> Option<String> {
        self.errors.quote()
    }

    /// Returns the instructions that a call may execute; `None` if they are not counted.
    pub(crate) fn fuel(&self) -> Option<u64> {
        self.policy.fuel
    }

    /// Returns the bytes of linear memory in use.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory.used()
    }

    /// Prepares a further call: sets its input and resets every budget.
    pub(crate) fn begin_call(&mut self, call: CallContext) {
        let CallContext { input, state_use } = call;
        self.state_use = state_use;
        self.state = None;
        self.budget = CallBudget::new(&self.policy);
        self.content = ContentAllowance::new(&self.policy.limits);
        self.log = LogAllowance::default();
        self.memory.reset_denied();
        self.errors = ErrorLines::default();
        self.quotes_errors = self.policy.quotes_errors();
        self.trace = None;
        self.input = input;
    }

    /// Flushes the log and drops the request, so that an idle instance holds nothing of it.
    pub(crate) fn end_call(&mut self) {
        self.flush_log();
        self.policy.record_memory(self.memory.used());
        self.input = None;
        self.state = None;
    }

    pub(crate) fn memory(&mut self) -> &mut MemoryMeter {
        &mut self.memory
    }

    /// Returns whether the policy was denied memory during this call.
    pub(crate) fn memory_denied(&self) -> bool {
        self.memory.denied()
    }

    /// Charges the call for one tick of running time, and interrupts it when none is left.
    pub(crate) fn charge_tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        self.check_wasi_calls()?;
        Ok(match self.budget.ticks.checked_sub(1) {
            None => UpdateDeadline::Interrupt,
            Some(left) => {
                self.budget.ticks = left;
                UpdateDeadline::Yield(1)
            }
        })
    }

    /// Charges the call for one imported function.
    pub(super) fn charge_host_call(&mut self) -> wasmtime::Result<()> {
        if self.take_host_call() { Ok(()) } else { Err(HostCallsExceeded.into()) }
    }

    /// Charges the call for one function of WASI. `wasmtime-wasi` implements those functions and
    /// offers no way to fail one from here, so an excess is noted instead: the next tick stops
    /// the policy, and [`check_wasi_calls`](Self::check_wasi_calls) rejects its answer.
    pub(super) fn charge_wasi_call(&mut self) {
        self.record_import(|| ImportCall::new("wasi", "", "", 0));
        if !self.take_host_call() {
            self.budget.overdrawn = true;
        }
    }

    /// Fails if this call has called WASI too often.
    pub(crate) fn check_wasi_calls(&self) -> wasmtime::Result<()> {
        if self.budget.overdrawn { Err(HostCallsExceeded.into()) } else { Ok(()) }
    }

    fn take_host_call(&mut self) -> bool {
        if self.budget.host_calls == 0 && std::mem::take(&mut self.budget.scales) {
            self.budget.host_calls = self.host_calls_for_items();
        }
        match self.budget.host_calls.checked_sub(1) {
            None => false,
            Some(left) => {
                self.budget.host_calls = left;
                true
            }
        }
    }

    /// Allowance for the items that a policy can look up one by one.
    fn host_calls_for_items(&self) -> u32 {
        let Some(input) = &self.input else { return 0 };
        let parts = input.prompt.parts().len().min(MAX_PARTS);
        saturating_u32(input.candidates.len() + parts).saturating_mul(HostCalls::PER_ITEM)
    }
}

/// A policy that was stopped never reaches `end_call`, but its output is logged too.
impl Drop for StoreData {
    fn drop(&mut self) {
        self.end_call();
    }
}

impl CallBudget {
    fn new(policy: &PolicyContext) -> Self {
        Self {
            // By the first yield more than one tick has passed.
            ticks: policy.deadline_ticks.saturating_sub(FIRST_YIELD_TICKS - 1),
            host_calls: match policy.limits.host_calls {
                HostCalls::Scaled => HostCalls::BASE,
                HostCalls::Exactly(calls) => calls,
            },
            scales: policy.limits.host_calls == HostCalls::Scaled,
            overdrawn: false,
        }
    }
}
