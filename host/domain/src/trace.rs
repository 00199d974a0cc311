//! Trace context and sampling.

/// Ids of a request's span and of its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// Trace id; never 0.
    pub trace: u128,
    /// Span id of the client, if the client sent one.
    pub parent: Option<u64>,
    /// Span id of the request; never 0.
    pub span: u64,
    /// True if the spans of the request are recorded.
    pub sampled: bool,
}

/// Span of another service, from a trace header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteSpan {
    /// Trace id; never 0.
    pub trace: u128,
    /// Span id; never 0.
    pub span: u64,
    /// True if the other service records the trace.
    pub sampled: bool,
}

/// Share of traces that are recorded. The decision depends on the trace id alone, so services with
/// the same ratio record the same traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleRatio {
    /// Lower bound on the last 56 bits of the ids of recorded traces: the rule of OpenTelemetry's
    /// consistent probability sampling.
    reject_below: u64,
}

/// Number of values of the last 56 bits of a trace id.
const VALUES: u64 = 1 << 56;

impl TraceContext {
    /// Returns the trace context of a request, with the parent that its headers state, if any. New
    /// ids are random; 0, which is not valid, is replaced by 1.
    pub fn begin(parent: Option<RemoteSpan>, new: (u128, u64), ratio: SampleRatio) -> Self {
        let span = new.1.max(1);
        match parent {
            Some(RemoteSpan { trace, span: parent, sampled }) => {
                Self { trace, parent: Some(parent), span, sampled }
            }
            None => {
                let trace = new.0.max(1);
                Self { trace, parent: None, span, sampled: ratio.takes(trace) }
            }
        }
    }
}

impl SampleRatio {
    /// Ratio that records every trace.
    pub const ALL: Self = Self { reject_below: 0 };

    /// Returns the ratio for a share from 0 to 1. A share outside that range is clamped.
    pub fn new(share: f64) -> Self {
        // The cast of a float saturates, and turns NaN into 0.
        Self { reject_below: ((1.0 - share).clamp(0.0, 1.0) * VALUES as f64) as u64 }
    }

    /// Returns whether a trace is recorded.
    pub fn takes(self, trace: u128) -> bool {
        (trace as u64) % VALUES >= self.reject_below
    }
}

#[cfg(test)]
mod tests;
