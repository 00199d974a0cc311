//! The outputs of a plan's tasks. Reading them makes the component import `outputs`, which the
//! configuration has to grant. The bytes read count towards the same limit as the prompt's.

use crate::imports::outputs as gateway;

/// Returns the output of a task by its number, cut to `max_bytes` at a character boundary;
/// `None` if there is none.
pub fn text(task: u32, max_bytes: usize) -> Option<String> {
    gateway::text(task, u32::try_from(max_bytes).unwrap_or(u32::MAX))
}

/// Removes a Markdown fence around the whole text, and surrounding white space. Models that
/// are asked for JSON often add one. This calls no import.
pub fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let within = text.strip_prefix("```").and_then(|text| text.strip_suffix("```"));
    match within.and_then(|within| within.split_once('\n')) {
        Some((language, within)) if !language.contains('`') => within.trim(),
        _ => text,
    }
}
