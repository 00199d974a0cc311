//! Content of a request, in a decision record.

use pointsman_domain::prompt::Prompt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::is_zero;

/// Longest role and finish reason that are recorded, in bytes. They are short, but clients and
/// backends can send anything.
const MAX_WORD_BYTES: usize = 32;
/// Most messages that are recorded. A limit on bytes alone does not bound messages without text.
const MAX_MESSAGES: usize = 1_000;

/// Messages of a request, up to a number of bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContentRecord {
    /// Newest messages, oldest first. The end of the first one may be cut off.
    pub messages: Vec<MessageRecord>,
    /// Bytes of text that were left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out_bytes: usize,
    /// Number of older messages that were left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out_messages: usize,
    /// Outputs that tasks gave to the plan, by number, if `decision_log.outputs` is on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<TaskOutputRecord>,
}

/// Output of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskOutputRecord {
    /// Number of the task.
    pub task: usize,
    /// Text from the beginning.
    pub text: String,
    /// Bytes of text that were left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out_bytes: usize,
    /// Reason for the end of the output, in the model's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageRecord {
    /// Role: `system`, `user`, `assistant` …
    pub role: String,
    /// Text; images and other parts are left out.
    pub text: String,
}

impl ContentRecord {
    /// Creates a record of the newest messages of a request, with at most `max_bytes` of text.
    pub fn new(prompt: &dyn Prompt, max_bytes: usize) -> Self {
        let mut content = Self::default();
        let mut left = max_bytes;
        for number in (0..prompt.message_count()).rev() {
            let text = prompt.text(number).unwrap_or_default();
            let most = if content.messages.len() == MAX_MESSAGES { 0 } else { left };
            let kept = &text[..text.floor_char_boundary(most)];
            content.left_out_bytes += text.len() - kept.len();
            // Nothing older is kept once a text was cut.
            left = if kept.len() == text.len() { left - kept.len() } else { 0 };
            if content.messages.len() == MAX_MESSAGES || kept.is_empty() && !text.is_empty() {
                continue;
            }
            let role = prompt.role(number).unwrap_or_default();
            content.messages.push(MessageRecord { role: cut(role).to_owned(), text: kept.to_owned() });
        }
        content.messages.reverse();
        content.left_out_messages = prompt.message_count() - content.messages.len();
        content
    }

    /// Adds the output of a task, with as much of its text as `max_bytes` allow for all outputs
    /// together.
    pub fn add_output(&mut self, task: usize, text: &str, finish_reason: Option<&str>, max_bytes: usize) {
        let used: usize = self.outputs.iter().map(|output| output.text.len()).sum();
        let kept = &text[..text.floor_char_boundary(max_bytes.saturating_sub(used))];
        self.outputs.push(TaskOutputRecord {
            task,
            text: kept.to_owned(),
            left_out_bytes: text.len() - kept.len(),
            finish_reason: finish_reason.map(|reason| cut(reason).to_owned()),
        });
    }
}

fn cut(word: &str) -> &str {
    &word[..word.floor_char_boundary(MAX_WORD_BYTES)]
}

#[cfg(test)]
mod tests;
