//! Completeness of a streamed answer.
//!
//! An answer is complete when there is at least one choice and every choice that was seen has a
//! finish reason, or when `[DONE]` follows content: some servers state no reason. A reported
//! error makes it incomplete in any case.

use super::answer::AnswerVisitor;
use super::choices::ChoiceSet;
use crate::answer::{BrokenStream, ReportedError, StreamState};

/// Tracks a stream up to its end.
#[derive(Debug)]
pub(in crate::openai) struct Completeness {
    seen: ChoiceSet,
    finished: ChoiceSet,
    /// Number of choices that the client requested. Some servers send one after another.
    expected: u32,
    has_content: bool,
    is_done: bool,
    /// First reported error, and its message.
    error: Option<(ReportedError, String)>,
}

impl Completeness {
    pub const fn new(expected: u32) -> Self {
        Self {
            seen: ChoiceSet::EMPTY,
            finished: ChoiceSet::EMPTY,
            expected,
            has_content: false,
            is_done: false,
            error: None,
        }
    }

    /// Records an event with this data.
    pub fn record(&mut self, visited: &mut AnswerVisitor, data: &[u8]) {
        self.seen.extend(visited.seen);
        self.finished.extend(visited.finished);
        self.has_content |= visited.is_meaningful;
        if let Some(error) = visited.error.take().filter(|_| self.error.is_none()) {
            self.error = Some((error.reported(data), error.message));
        }
    }

    /// Records content of which at most the length is known.
    pub const fn record_content(&mut self) {
        self.has_content = true;
    }

    /// Records `[DONE]`.
    pub const fn record_done(&mut self) {
        self.is_done = true;
    }

    pub const fn has_content(&self) -> bool {
        self.has_content
    }

    pub const fn is_done(&self) -> bool {
        self.is_done
    }

    pub fn error(&self) -> Option<ReportedError> {
        self.error.as_ref().map(|(error, _)| *error)
    }

    pub fn state(&self) -> StreamState {
        if self.is_done {
            StreamState::Done
        } else if self.error.is_some() || self.all_finished() && self.seen.len() >= self.expected {
            StreamState::Finished
        } else if self.has_content {
            StreamState::Answering
        } else {
            StreamState::Waiting
        }
    }

    /// Returns whether a stream that ends here is complete.
    pub fn check(&self) -> Result<(), BrokenStream> {
        match &self.error {
            Some((error, message)) => Err(BrokenStream::Reported(*error, message.clone())),
            None if self.all_finished() || (self.is_done && self.has_content) => Ok(()),
            None => Err(BrokenStream::Truncated),
        }
    }

    fn all_finished(&self) -> bool {
        !self.seen.is_empty() && self.seen == self.finished
    }
}

#[cfg(test)]
mod tests;
