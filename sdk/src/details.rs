//! Facts about the request and its candidates that are not members of [`Request`] and
//! [`Candidate`], because they are rarely needed. A call costs about as much as a hash lookup.
//!
//! [`Request`]: crate::Request
//! [`Candidate`]: crate::Candidate

use crate::imports::details as gateway;

/// The client's preference, from its `x-pointsman-prefer` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefer {
    /// Low cost.
    Cost,
    /// Low latency.
    Speed,
    /// High quality.
    Quality,
}

/// Returns the client's preference; `None` without the header or with an unknown value.
pub fn prefer() -> Option<Prefer> {
    match request_attribute("prefer")?.as_str() {
        "cost" => Some(Prefer::Cost),
        "speed" => Some(Prefer::Speed),
        "quality" => Some(Prefer::Quality),
        _ => None,
    }
}

/// Returns an attribute of the request.
pub fn request_attribute(key: &str) -> Option<String> {
    gateway::request_attribute(key)
}

/// Returns an attribute of a candidate, such as `parameters`.
pub fn candidate_attribute(candidate: usize, key: &str) -> Option<String> {
    gateway::candidate_attribute(u32::try_from(candidate).ok()?, key)
}

/// Returns a candidate's quality, 0..1, at one kind of task, if the configuration states it.
pub fn task_quality(candidate: usize, task: &str) -> Option<f64> {
    gateway::task_quality(u32::try_from(candidate).ok()?, task)
}

/// Returns the operations that a candidate supports, such as `chat`.
pub fn candidate_operations(candidate: usize) -> Vec<String> {
    u32::try_from(candidate).map(gateway::candidate_operations).unwrap_or_default()
}
