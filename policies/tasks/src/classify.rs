//! From what a text shows to a kind of task.

use pointsman_sdk::{Abilities, Modalities, Request, prompt};

use crate::scan::{Signs, scan};
use crate::{Kind, Task};

/// Reads the newest user message, at most this many bytes of it, and the names
/// of the tools, and returns the kind of the request.
pub fn read(request: &Request, max_bytes: usize) -> Kind {
    let tools = if request.needs.contains(Abilities::TOOLS) { prompt::tool_names() } else { Vec::new() };
    classify(request, &prompt::last_user_text(max_bytes), &tools)
}

/// The kind of a request with this newest user message and these tools. Pictures
/// and sound decide first, then tools, then the words.
pub fn classify(request: &Request, text: &str, tools: &[String]) -> Kind {
    let signs = scan(text);
    let task = if request.inputs.contains(Modalities::AUDIO) {
        Task::Audio
    } else if request.inputs.intersects(Modalities::IMAGE | Modalities::VIDEO) {
        Task::Vision
    } else if request.needs.contains(Abilities::TOOLS) {
        Task::ToolUse
    } else {
        by_words(&signs)
    };
    let hard = match task {
        Task::ToolUse => !tools_fit(tools, text) || (tools.len() > 1 && signs.parts > 3),
        _ => looks_hard(request, &signs),
    };
    Kind { task, hard }
}

/// The task that most signs speak for; conversation if hardly any sign speaks.
fn by_words(signs: &Signs) -> Task {
    let asks = signs.questions > 0 || signs.choices > 2;
    let bonus = |task| match task {
        Task::Code => 3 * signs.code_marks.min(8),
        Task::Maths => 2 * signs.numbers.min(5) + 4 * signs.formulas.min(6),
        // A question that names nobody and nothing is about how things are in general.
        Task::Knowledge if asks && signs.names > 0 => 4 + 2 * signs.names.min(3),
        Task::Reasoning if asks && signs.names == 0 => 4,
        Task::Chat => 3,
        _ => 0,
    };
    let mut best = (Task::Chat, 0);
    for task in Task::ALL {
        let weight = signs.weight(task) + bonus(task);
        if weight > best.1 {
            best = (task, weight);
        }
    }
    best.0
}

/// True if a request looks difficult, regardless of its task: weak models match strong ones
/// only on short and plain questions.
fn looks_hard(request: &Request, signs: &Signs) -> bool {
    request.needs.contains(Abilities::REASONING)
        || request.turns > 8
        || signs.bytes > 300
        || signs.numbers > 4
        || signs.formulas > 3
}

/// True if a word of some tool's name occurs in the text. If none does, the model
/// has to find out whether a tool serves the request at all, which weak models
/// do badly: they call one anyway.
fn tools_fit(tools: &[String], text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let words = tools.iter().flat_map(|name| name.split(|c: char| !c.is_ascii_alphanumeric()));
    words.filter(|word| word.len() > 3).any(|word| text.contains(&word.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests;
