//! Facts of the request under decision and of its candidates that are too many
//! or too rare for the records. A call costs about as much as a hash lookup.

use crate::imports::details as gateway;

/// What the client asked for with its `x-pointsman-prefer` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefer {
    /// As little money as will do.
    Cost,
    /// As little time as possible.
    Speed,
    /// The best answer.
    Quality,
}

/// What the client prefers; `None` when it did not say, or said nothing known.
pub fn prefer() -> Option<Prefer> {
    match request_attribute("prefer")?.as_str() {
        "cost" => Some(Prefer::Cost),
        "speed" => Some(Prefer::Speed),
        "quality" => Some(Prefer::Quality),
        _ => None,
    }
}

/// A named fact of the request.
pub fn request_attribute(key: &str) -> Option<String> {
    gateway::request_attribute(key)
}

/// A named fact of a candidate, such as `parameters`.
pub fn candidate_attribute(candidate: usize, key: &str) -> Option<String> {
    gateway::candidate_attribute(u32::try_from(candidate).ok()?, key)
}

/// A candidate's quality, 0..1, at one kind of task, if the configuration states it.
pub fn task_quality(candidate: usize, task: &str) -> Option<f64> {
    gateway::task_quality(u32::try_from(candidate).ok()?, task)
}

/// What a candidate can be called for, such as `chat`.
pub fn candidate_operations(candidate: usize) -> Vec<String> {
    u32::try_from(candidate).map(gateway::candidate_operations).unwrap_or_default()
}
