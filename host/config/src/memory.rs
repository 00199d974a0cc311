//! Bounds on the memory that requests and answers hold.

/// Bounds on held memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// On request bodies and answers together.
    pub total: usize,
    /// On request bodies.
    pub request_bodies: usize,
    /// On answers that are read whole or not sent yet.
    pub answers: usize,
    /// On one answer that is read whole.
    pub answer: usize,
    /// On what one stream holds until its first content.
    pub before_content: usize,
}
