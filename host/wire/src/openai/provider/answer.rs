//! Parsing of chat answers: a whole answer, or one event of a stream.

mod keys;
mod visitor;

use self::visitor::FirstChoice;
use crate::answer::{AnswerCount, InvalidAnswer};
use crate::json::unescape;

pub(in crate::openai) use self::visitor::AnswerVisitor;

/// Parses a whole chat completion for its token counts.
pub fn read_chat_count(answer: &[u8]) -> Result<AnswerCount, InvalidAnswer> {
    Ok(count_of(&AnswerVisitor::parse_whole(answer)?))
}

fn count_of(visited: &AnswerVisitor) -> AnswerCount {
    AnswerCount { count: visited.count, output_bytes: visited.output_bytes() }
}

/// Parses a whole answer, and returns the text and the finish reason of its first choice.
pub(super) fn read_first_choice(
    answer: &[u8],
) -> Result<(String, Option<String>, AnswerCount), InvalidAnswer> {
    let visited = AnswerVisitor::parse_with_content(answer)?;
    let answer_facts = count_of(&visited);
    let FirstChoice { texts, finish_reason, .. } = visited.first.map(|choice| *choice).unwrap_or_default();
    let text = texts.into_iter().filter_map(|span| answer.get(span)).map(unescape).collect();
    Ok((text, finish_reason, answer_facts))
}

#[cfg(test)]
mod tests;
