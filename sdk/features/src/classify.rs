//! From the signs of a text to a kind of task.

use crate::scan::{Signs, scan};
use crate::{Facts, Kind, Task};

/// Bytes of text for each number up to which numbers are what a text is about.
const BYTES_OF_NUMBER: usize = 80;

/// Returns the kind of a request. Pictures and sound decide first, then tools, then the words.
pub fn classify(facts: &Facts<'_>) -> Kind {
    kind_of(facts, &scan(facts.text))
}

/// Returns the kind of a request whose text has these signs.
pub(crate) fn kind_of(facts: &Facts<'_>, signs: &Signs) -> Kind {
    let task = if facts.sound {
        Task::Audio
    } else if facts.pictures {
        Task::Vision
    } else if facts.needs_tools {
        Task::ToolUse
    } else {
        by_words(signs)
    };
    let hard = match task {
        Task::ToolUse => {
            tool_overlap(facts.tools, facts.text) == 0 || (facts.tools.len() > 1 && signs.parts > 3)
        }
        _ => looks_hard(facts, signs),
    };
    Kind { task, hard }
}

/// Returns the task that most signs speak for; conversation if hardly any sign speaks.
fn by_words(signs: &Signs) -> Task {
    let mut best = (Task::Chat, 0);
    for task in Task::ALL {
        let weight = weight(signs, task);
        if weight > best.1 {
            best = (task, weight);
        }
    }
    best.0
}

/// Returns the strength with which all signs speak for a task.
pub(crate) fn weight(signs: &Signs, task: Task) -> u32 {
    let asks = signs.questions > 0 || signs.choices > 2 || signs.blanks > 0;
    let bonus = match task {
        Task::Code => 3 * signs.code_marks.min(8),
        Task::Maths => {
            // A question in prose with several numbers, none of them in an answer to choose, is a sum.
            let sum = if asks && signs.numbers > 1 && signs.items < 3 { 4 } else { 0 };
            // Any long text has some numbers.
            let dense = signs.numbers as usize * BYTES_OF_NUMBER > signs.bytes;
            let numbers = if dense { 2 * signs.numbers.min(5) } else { signs.numbers.min(4) };
            numbers + 4 * signs.formulas.min(6) + sum
        }
        // A question that names nobody and nothing is about how things are in general.
        Task::Knowledge if asks && signs.names > 0 => 4 + 2 * signs.names.min(3),
        Task::Reasoning if asks && signs.names == 0 => 4,
        Task::Chat => 3,
        _ => 0,
    };
    signs.weight(task) + bonus
}

/// Returns true if a request looks difficult, regardless of its task: weak models match strong ones
/// only on short and plain questions.
fn looks_hard(facts: &Facts<'_>, signs: &Signs) -> bool {
    facts.needs_reasoning || facts.turns > 8 || signs.bytes > 300 || signs.numbers > 4 || signs.formulas > 3
}

/// Returns the number of tools of which a word of the name occurs in the text. If there is none, the model
/// has to find out whether a tool serves the request at all, which weak models do badly: they call
/// one anyway.
pub(crate) fn tool_overlap(tools: &[String], text: &str) -> usize {
    if tools.is_empty() {
        return 0;
    }
    let text = text.to_ascii_lowercase();
    let occurs = |word: &str| word.len() > 3 && text.contains(&word.to_ascii_lowercase());
    let is_named = |name: &&String| name.split(|c: char| !c.is_ascii_alphanumeric()).any(occurs);
    tools.iter().filter(is_named).count()
}

#[cfg(test)]
mod tests;
