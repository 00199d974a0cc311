//! Where a request stands in a distributed trace.

/// Identifies a request's span, and the span of the client that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace; never 0.
    pub trace: u128,
    /// The client's span, if the client sent one.
    pub parent: Option<u64>,
    /// The request's own span; never 0.
    pub span: u64,
    /// Whether its spans are recorded.
    pub sampled: bool,
}

/// A span of somebody else's, as it is told in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteSpan {
    /// The trace; never 0.
    pub trace: u128,
    /// The span; never 0.
    pub span: u64,
    /// Whether whoever made it records the trace.
    pub sampled: bool,
}

/// The share of traces that is recorded. Whether one is depends on its id alone, so
/// whoever else takes the same share of the same traces takes the same ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleRatio {
    /// Traces whose last 56 bits, as a number, are below this are left out: the
    /// rule of OpenTelemetry's consistent probability sampling.
    reject_below: u64,
}

/// How many values the last 56 bits of a trace's id can have.
const VALUES: u64 = 1 << 56;

impl TraceContext {
    /// The place of a request that somebody else's span may have led to. New ids
    /// are random; 0, which is none, is taken for 1.
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
    /// Every trace.
    pub const ALL: Self = Self { reject_below: 0 };

    /// A share from 0 to 1; what is outside is taken for the nearer of the two.
    pub fn new(share: f64) -> Self {
        // From a float the cast saturates, and makes 0 of what is no number.
        Self { reject_below: ((1.0 - share).clamp(0.0, 1.0) * VALUES as f64) as u64 }
    }

    /// Whether a trace is recorded.
    pub fn takes(self, trace: u128) -> bool {
        (trace as u64) % VALUES >= self.reject_below
    }
}

#[cfg(test)]
mod tests;
