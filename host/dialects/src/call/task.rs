//! Calls of the tasks of a plan.

use pointsman_domain::model::Operation;
use pointsman_domain::plan::Task;
use pointsman_wire::TaskOutputs;

use super::{CallContent, ChatTask};
use crate::forwarded::ForwardedApi;
use crate::request::ClientConversation;

/// Reason why the content of a task cannot be sent to a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidTaskInput(String);

impl ClientConversation {
    /// Assembles the content of a task's call. The task that answers sends the request with other
    /// messages; any other task sends a new request for a whole answer.
    ///
    /// # Errors
    /// Fails if the task refers to content that cannot be sent to its operation.
    pub fn task_content(
        &self,
        task: &Task,
        outputs: &TaskOutputs,
        answers: bool,
    ) -> Result<CallContent<'static>, InvalidTaskInput> {
        let text = |api| CallContent::Text(api, self.as_chat().render_text_task(task, outputs));
        let recording = |api| {
            let body = self.as_chat().render_transcription_task(task);
            body.map(|body| CallContent::Recording(api, body))
                .map_err(|invalid| InvalidTaskInput(invalid.to_string()))
        };
        Ok(match task.operation {
            Operation::Chat => CallContent::Chat(ChatTask {
                body: self.as_chat().render_chat_task(task, outputs, answers),
                client: self.client_side(),
            }),
            Operation::Embedding => text(ForwardedApi::Embeddings),
            Operation::Speech => text(ForwardedApi::Speech),
            Operation::Image => text(ForwardedApi::ImageGenerations),
            Operation::Moderation => text(ForwardedApi::Moderations),
            Operation::Transcription => recording(ForwardedApi::Transcriptions)?,
            Operation::Translation => recording(ForwardedApi::Translations)?,
        })
    }
}

impl InvalidTaskInput {
    /// Returns the error of a task that the plan does not have.
    pub fn no_such_task() -> Self {
        Self("the plan has no such task".to_owned())
    }
}
