//! Calls of the tasks of a plan.

use pointsman_domain::model::Operation;
use pointsman_domain::plan::Task;
use pointsman_wire::TaskOutputs;

use super::{CallContent, ChatTask};
use crate::request::ClientRequest;

/// Reason why the content of a task cannot be sent to a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidTaskInput(String);

impl ClientRequest {
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
        Ok(match task.operation {
            Operation::Chat => CallContent::Chat(ChatTask {
                body: self.as_chat().render_chat_task(task, outputs, answers),
                client: self.client_side(),
            }),
            Operation::Embedding => {
                CallContent::Embedding(self.as_chat().render_embedding_task(task, outputs))
            }
            Operation::Transcription => {
                let body = self.as_chat().render_transcription_task(task);
                CallContent::Transcription(body.map_err(|invalid| InvalidTaskInput(invalid.to_string()))?)
            }
        })
    }
}

impl InvalidTaskInput {
    /// Returns the error of a task that the plan does not have.
    pub fn no_such_task() -> Self {
        Self("the plan has no such task".to_owned())
    }
}
