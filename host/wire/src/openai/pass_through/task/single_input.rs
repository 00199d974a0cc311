//! Calls of tasks with a single input: text for an embedding, or a recording for a transcription.

use pointsman_domain::plan::{ComposedPart, ContentRef, Task, TaskInput};

use super::ChatRequest;
use crate::openai::client::{InvalidRecording, Recording};
use crate::openai::provider::{EmbeddingBody, TranscriptionBody};
use crate::task_outputs::TaskOutputs;

impl ChatRequest {
    /// Renders the call of an embedding task, whose input is the text of its one message.
    pub fn render_embedding_task(&self, task: &Task, outputs: &TaskOutputs) -> EmbeddingBody {
        let message = task.input.iter().find_map(|input| match input {
            TaskInput::Message(message) => Some(message),
            TaskInput::Conversation(_) => None,
        });
        EmbeddingBody::new(
            &message.map_or_else(String::new, |message| self.compose_text(&message.content, outputs)),
        )
    }

    /// Renders the call of a transcription task, whose input is the one recording in its message.
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
