//! Traces of calls, for tools of authors: the imports that a policy calls, and the lines that it logs.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::contract::Level;

/// Calls of imported functions that a trace keeps. Further ones are counted.
const MAX_IMPORT_CALLS: usize = 4_096;
/// Bytes of the arguments of one call that a trace keeps.
const MAX_ARGUMENTS: usize = 256;

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
