//! Calls of policies that are watched, for tools of authors: the imports that a policy calls, the lines
//! that it logs, and the resources that it uses.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::contract::Level;
use crate::decision::{DecisionInput, PolicyAnswer};
use crate::failure::PolicyFailure;

/// Calls of imported functions that a trace keeps. Further ones are counted.
const MAX_IMPORT_CALLS: usize = 4_096;
/// Bytes of the arguments of one call that a trace keeps.
const MAX_ARGUMENTS: usize = 256;

/// The answer to one call of a policy in a fresh instance, with everything that it did.
#[derive(Clone, Debug)]
pub struct Examination {
    /// The answer, validated as for a request.
    pub answer: Result<PolicyAnswer, PolicyFailure>,
    /// Imported functions that it called, and lines that it logged.
    pub trace: CallTrace,
    /// Executed instructions, if the runtime counts them.
    pub fuel: Option<FuelUse>,
    /// Linear memory of the instance at the end, in bytes. Memory never shrinks, so it is the peak.
    pub memory_bytes: usize,
    /// Time to create the instance.
    pub start: Duration,
    /// Time of the call until its answer was validated.
    pub call: Duration,
}

/// Executed instructions in units of fuel: the same for the same policy and input on every machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FuelUse {
    /// Start functions of the instance.
    pub start: u64,
    /// The call itself.
    pub call: u64,
}

impl FuelUse {
    /// Returns the sum.
    pub const fn total(&self) -> u64 {
        self.start.saturating_add(self.call)
    }
}

/// Imported functions that one call of a policy called, and lines that it logged, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallTrace {
    /// The first 4,096 calls of imported functions.
    pub imports: Vec<ImportCall>,
    /// Number of further calls.
    pub more_imports: u64,
    /// Log lines that the gateway's limits for one call admit.
    pub log: Vec<LogLine>,
}

/// A call of an imported function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportCall {
    /// Interface without package and version, such as `prompt`.
    pub interface: &'static str,
    /// Function, such as `text`; empty for a function of WASI.
    pub function: &'static str,
    /// Arguments as text.
    pub arguments: String,
    /// Bytes that the policy received: texts and lists with their content, other values not counted.
    pub bytes: usize,
    /// Number of equal calls in a row that this one stands for.
    pub times: u64,
}

/// Severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the contract")]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

impl LogLevel {
    /// Returns the name in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// A line that a policy logged or printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Severity; `info` for standard output and `warn` for standard error.
    pub level: LogLevel,
    /// Printable text.
    pub text: String,
}

/// A trace that is being recorded. It is shared with the caller, who reads it even if the call is
/// cancelled at its deadline.
#[derive(Clone, Default)]
pub(crate) struct TraceRecorder(Arc<Mutex<CallTrace>>);

impl TraceRecorder {
    pub(crate) fn record_import(&self, call: ImportCall) {
        let mut trace = self.lock();
        if let Some(last) = trace.imports.last_mut()
            && (last.interface, last.function, &last.arguments, last.bytes)
                == (call.interface, call.function, &call.arguments, call.bytes)
        {
            last.times = last.times.saturating_add(1);
        } else if trace.imports.len() < MAX_IMPORT_CALLS {
            trace.imports.push(call);
        } else {
            trace.more_imports += 1;
        }
    }

    pub(crate) fn record_line(&self, level: Level, text: &str) {
        self.lock().log.push(LogLine { level: level.into(), text: text.to_owned() });
    }

    pub(crate) fn take(&self) -> CallTrace {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, CallTrace> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ImportCall {
    pub(crate) fn new(
        interface: &'static str,
        function: &'static str,
        arguments: impl Into<Cow<'static, str>>,
        bytes: usize,
    ) -> Self {
        let arguments = pointsman_domain::text::printable(&arguments.into(), MAX_ARGUMENTS);
        Self { interface, function, arguments, bytes, times: 1 }
    }
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
        }
    }
}

/// A call to examine.
pub(crate) enum ExaminedCall {
    /// The first call for a request.
    Decide,
    /// A further one, with the state of the plan.
    Resume(Vec<u8>),
}

/// Measurements of an examined call. Those of a call that did not reach its end are zero.
#[derive(Default)]
pub(crate) struct CallMeasurements {
    pub(crate) fuel: Option<FuelUse>,
    pub(crate) memory_bytes: usize,
    pub(crate) start: Duration,
    pub(crate) call: Duration,
}

impl crate::policy::LoadedPolicy {
    /// Makes one call in a fresh instance, and measures it.
    pub(crate) async fn examine(
        &self,
        input: DecisionInput,
        call: ExaminedCall,
        trace: TraceRecorder,
    ) -> (Result<PolicyAnswer, PolicyFailure>, CallMeasurements) {
        let mut measured = CallMeasurements::default();
        let started = Instant::now();
        let mut instance = match self.instantiate_examined(input.clone(), trace).await {
            Ok(instance) => instance,
            Err(failure) => return (Err(failure), measured),
        };
        measured.start = started.elapsed();
        let start_fuel = instance.fuel_used();
        let called = Instant::now();
        let answer = match call {
            ExaminedCall::Decide => instance.decide(&input).await,
            ExaminedCall::Resume(state) => instance.resume(self.exports(), &input, &state).await,
        };
        measured.call = called.elapsed();
        measured.memory_bytes = instance.memory_bytes();
        measured.fuel = start_fuel
            .zip(instance.fuel_used())
            .map(|(start, total)| FuelUse { start, call: total.saturating_sub(start) });
        (answer, measured)
    }
}
