//! Limits on the memory that requests and answers hold.

/// Memory limits, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Request bodies and answers together.
    pub total: usize,
    /// Request bodies.
    pub request_bodies: usize,
    /// Answers that are buffered whole or not sent yet.
    pub answers: usize,
    /// One answer that is buffered whole.
    pub answer: usize,
    /// Bytes that one stream buffers until its first content.
    pub before_content: usize,
}
