//! Calls of tasks with a single input: a text, or a recording.

use pointsman_domain::model::Operation;
use pointsman_domain::plan::{ComposedPart, ContentRef, Task, TaskInput};

use super::ChatRequest;
use crate::openai::client::{InvalidRecording, Recording};
use crate::openai::provider::{TextCallBody, TranscriptionBody};
use crate::task_outputs::TaskOutputs;

/// Voice that a speech has if the task names none.
const DEFAULT_VOICE: (&str, &str) = ("voice", "\"alloy\"");
/// Format that a speech has if the task names none.
const DEFAULT_SPEECH_FORMAT: (&str, &str) = ("response_format", "\"mp3\"");
/// Format of vectors: the default of the protocol, but not of every server.
const VECTOR_FORMAT: (&str, &str) = ("encoding_format", "\"float\"");

impl ChatRequest {
    /// Renders the call of a task whose input is the text of its one message: an embedding, a
    /// speech, an image or a moderation.
    pub fn render_text_task(&self, task: &Task, outputs: &TaskOutputs) -> TextCallBody {
        let message = task.input.iter().find_map(|input| match input {
            TaskInput::Message(message) => Some(message),
            TaskInput::Conversation(_) => None,
        });
        let text = message.map_or_else(String::new, |message| self.compose_text(&message.content, outputs));
        let (member, defaults): (_, &[(&str, &str)]) = match task.operation {
            Operation::Embedding => ("input", &[VECTOR_FORMAT]),
            Operation::Speech => ("input", &[DEFAULT_VOICE, DEFAULT_SPEECH_FORMAT]),
            Operation::Image => ("prompt", &[]),
            _ => ("input", &[]),
        };
        let is_set = |name: &str| task.options.iter().any(|(option, _)| option == name);
        let defaults = defaults.iter().copied().filter(|(name, _)| !is_set(name));
        let options = task.options.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        TextCallBody::new(member, &text, defaults.chain(options))
    }

    /// Renders the call of a transcription or translation task, whose input is the one recording in its message.
    pub fn render_transcription_task(&self, task: &Task) -> Result<TranscriptionBody, InvalidRecording> {
        let place = find_recording(&task.input).ok_or(InvalidRecording::Missing)?;
        let (part, tokens) = self.part(place).ok_or(InvalidRecording::Missing)?;
        let recording = Recording::read(&part, (place.message, place.part))?;
        let Recording { content, format } = recording;
        Ok(TranscriptionBody::new(content, &format, tokens, &task.options))
    }
}

fn find_recording(input: &[TaskInput]) -> Option<&ContentRef> {
    let messages = input.iter().filter_map(|input| match input {
        TaskInput::Message(message) => Some(&message.content),
        TaskInput::Conversation(_) => None,
    });
    messages.flatten().find_map(|part| match part {
        ComposedPart::Original(place) => Some(place),
        ComposedPart::Text(_) | ComposedPart::Output(_) => None,
    })
}

#[cfg(test)]
mod tests;
