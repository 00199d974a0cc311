//! Capability: what the tasks of a plan gave. Calling this makes the component
//! import `outputs`, which the configuration then has to grant. What is read
//! counts to the same limit as the prompt.

use crate::imports::outputs as gateway;

/// The output of a task by its number, cut to `max_bytes` at a character; `None`
/// when there is none.
pub fn text(task: u32, max_bytes: usize) -> Option<String> {
    gateway::text(task, u32::try_from(max_bytes).unwrap_or(u32::MAX))
}

/// What stands within a Markdown fence around the whole text; without one, the
/// text, trimmed. For models that were asked for JSON; this imports nothing.
pub fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let within = text.strip_prefix("```").and_then(|text| text.strip_suffix("```"));
    match within.and_then(|within| within.split_once('\n')) {
        Some((language, within)) if !language.contains('`') => within.trim(),
        _ => text,
    }
}
