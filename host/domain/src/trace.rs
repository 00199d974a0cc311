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
