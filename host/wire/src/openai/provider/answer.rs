//! Parsing of chat answers: a whole answer, or one event of a stream.

mod keys;
mod visitor;

use pointsman_domain::usage::Usage;

use self::visitor::FirstChoice;
use super::output::InvalidAnswer;
use crate::json::unescape;
use crate::usage_count::UsageCount;

pub(in crate::openai) use self::visitor::AnswerVisitor;

/// Token counts of a whole chat answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChatAnswer {
    /// Tokens as the backend counted them.
    pub count: UsageCount,
    /// Bytes of text that the model wrote; basis of an estimate where the backend states no
    /// count.
    pub output_bytes: u64,
}

impl ChatAnswer {
    /// Parses a whole answer.
    pub fn read(answer: &[u8]) -> Result<Self, InvalidAnswer> {
        Ok(Self::of(&AnswerVisitor::parse_whole(answer)?))
    }

    /// Returns the usage of the call: the backend's count where it can be true, else an
    /// estimate for an input of about `input_tokens`.
    pub fn usage_or_estimate(&self, input_tokens: u32) -> Usage {
        self.count.usage(input_tokens, self.output_bytes)
    }

    fn of(visited: &AnswerVisitor) -> Self {
        Self { count: visited.count, output_bytes: visited.output_bytes() }
    }
}

/// Parses a whole answer, and returns the text and the finish reason of its first choice.
pub(super) fn read_first_choice(
    answer: &[u8],
) -> Result<(String, Option<String>, ChatAnswer), InvalidAnswer> {
    let visited = AnswerVisitor::parse_with_content(answer)?;
    let answer_facts = ChatAnswer::of(&visited);
    let FirstChoice { texts, finish_reason, .. } = visited.first.map(|choice| *choice).unwrap_or_default();
    let text = texts.into_iter().filter_map(|span| answer.get(span)).map(unescape).collect();
    Ok((text, finish_reason, answer_facts))
}

#[cfg(test)]
mod tests;
