//! Short ways to describe tasks.

use super::{ContentRef, Input, Message, OutputRef, Part, Role, Task, TaskId};
use crate::outline::ContentPart;
use crate::{Modalities, Target};

impl Task {
    /// A chat. The targets are candidates in the order in which they are tried.
    pub fn chat(name: impl Into<String>, targets: impl IntoIterator<Item = usize>) -> Self {
        Self::new(name, "chat", targets)
    }

    /// A transcription of a recording in the request.
    pub fn transcription(
        name: impl Into<String>,
        targets: impl IntoIterator<Item = usize>,
        recording: &ContentPart,
    ) -> Self {
        Self::new(name, "transcription", targets).user([recording.into()])
    }

    /// An embedding of a text.
    pub fn embedding(
        name: impl Into<String>,
        targets: impl IntoIterator<Item = usize>,
        text: impl IntoIterator<Item = Part>,
    ) -> Self {
        Self::new(name, "embedding", targets).user(text)
    }

    fn new(name: impl Into<String>, operation: &str, targets: impl IntoIterator<Item = usize>) -> Self {
        Self {
            name: name.into(),
            operation: operation.to_owned(),
            targets: targets.into_iter().map(Target::from).collect(),
            input: Vec::new(),
            after: Vec::new(),
            optional: false,
            max_output_tokens: None,
            timeout_ms: None,
            hedge_after_ms: None,
            options: Vec::new(),
        }
    }

    /// Goes on with the client's conversation, with only these kinds of content.
    pub fn conversation(mut self, kinds: Modalities) -> Self {
        self.input.push(Input::Conversation(kinds));
        self
    }

    /// Goes on with a message that sets the conversation up.
    pub fn system(self, content: impl IntoIterator<Item = Part>) -> Self {
        self.message(Role::System, content)
    }

    /// Goes on with a message of the person.
    pub fn user(self, content: impl IntoIterator<Item = Part>) -> Self {
        self.message(Role::User, content)
    }

    /// Goes on with a message of the model.
    pub fn assistant(self, content: impl IntoIterator<Item = Part>) -> Self {
        self.message(Role::Assistant, content)
    }

    fn message(mut self, role: Role, content: impl IntoIterator<Item = Part>) -> Self {
        self.input.push(Input::Message(Message { role, content: content.into_iter().collect() }));
        self
    }

    /// Waits for another task too. Those whose outputs it uses need not be named.
    pub fn after(mut self, task: TaskId) -> Self {
        if !self.after.contains(&task.number()) {
            self.after.push(task.number());
        }
        self
    }

    /// Lets the plan go on when the task fails.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Limits the output, in tokens.
    pub fn at_most(mut self, tokens: u32) -> Self {
        self.max_output_tokens = Some(tokens);
        self
    }

    /// Limits the time, in milliseconds.
    pub fn in_time(mut self, ms: u32) -> Self {
        self.timeout_ms = Some(ms);
        self
    }

    /// Starts the next target too when one has sent nothing for so many milliseconds.
    pub fn hedge_after(mut self, ms: u32) -> Self {
        self.hedge_after_ms = Some(ms);
        self
    }

    /// Sets a further member of the call, its value in JSON: `("temperature", 0.2)`.
    pub fn option(mut self, name: &str, json: impl std::fmt::Display) -> Self {
        self.options.push((name.to_owned(), json.to_string()));
        self
    }
}

impl Part {
    /// The policy's own words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The output of a task, by number; nothing where an optional one failed.
    pub fn output(task: u32) -> Self {
        Self::Output(OutputRef { task, otherwise: None })
    }

    /// The output of a task, or these words where an optional one failed.
    pub fn output_or(task: TaskId, otherwise: impl Into<String>) -> Self {
        Self::Output(OutputRef { task: task.number(), otherwise: Some(otherwise.into()) })
    }

    /// A part of the request: of which message, and which of its parts.
    pub fn original(message: u32, part: u32) -> Self {
        Self::Original(ContentRef { message, part, excerpt: None })
    }

    /// Bytes `from..to` of a text in the request.
    pub fn excerpt(message: u32, part: u32, from: u32, to: u32) -> Self {
        Self::Original(ContentRef { message, part, excerpt: Some((from, to)) })
    }
}

impl From<&ContentPart> for Part {
    fn from(part: &ContentPart) -> Self {
        Self::original(part.message, part.part)
    }
}

impl From<TaskId> for Part {
    fn from(task: TaskId) -> Self {
        Self::output(task.number())
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// The tasks whose outputs a task uses.
pub(crate) fn outputs_used(task: &Task) -> Vec<u32> {
    let messages = task.input.iter().filter_map(|input| match input {
        Input::Message(message) => Some(&message.content),
        Input::Conversation(_) => None,
    });
    let outputs = messages.flatten().filter_map(|part| match part {
        Part::Output(output) => Some(output.task),
        Part::Text(_) | Part::Original(_) => None,
    });
    outputs.collect()
}
