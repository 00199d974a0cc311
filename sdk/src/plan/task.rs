//! Constructors of tasks and their input.

use super::{ContentRef, Input, Message, OutputRef, Part, Role, Task, TaskId};
use crate::outline::ContentPart;
use crate::{Modalities, Target};

impl Task {
    /// Creates a chat task. The targets are candidates in the order in which they are tried.
    pub fn chat(name: impl Into<String>, targets: impl IntoIterator<Item = usize>) -> Self {
        Self::new(name, "chat", targets)
    }

    /// Creates a task that transcribes a recording of the request.
    pub fn transcription(
        name: impl Into<String>,
        targets: impl IntoIterator<Item = usize>,
        recording: &ContentPart,
    ) -> Self {
        Self::new(name, "transcription", targets).user([recording.into()])
    }

    /// Creates a task that computes the embedding of a text.
    pub fn embedding(
        name: impl Into<String>,
        targets: impl IntoIterator<Item = usize>,
        text: impl IntoIterator<Item = Part>,
    ) -> Self {
        Self::new(name, "embedding", targets).user(text)
    }

    /// Creates a task that translates a recording of the request into English.
    pub fn translation(
        name: impl Into<String>,
        targets: impl IntoIterator<Item = usize>,
        recording: &ContentPart,
    ) -> Self {
        Self::new(name, "translation", targets).user([recording.into()])
    }

    /// Creates a task that reads out a text. Its output is a `data:` URL of the sound; options are
    /// `voice`, `response_format` and `speed`.
    pub fn speech(
        name: impl Into<String>,
        targets: impl IntoIterator<Item = usize>,
        text: impl IntoIterator<Item = Part>,
    ) -> Self {
        Self::new(name, "speech", targets).user(text)
    }

    /// Creates a task that draws what a text describes. Its output is the URL of the image, or a
    /// `data:` URL; options are `size`, `quality`, `background` and `output_format`.
    pub fn image(
        name: impl Into<String>,
        targets: impl IntoIterator<Item = usize>,
        text: impl IntoIterator<Item = Part>,
    ) -> Self {
        Self::new(name, "image", targets).user(text)
    }

    /// Creates a task that judges whether a text is harmful. Its output is the judgement as JSON,
    /// with the member `flagged`.
    pub fn moderation(
        name: impl Into<String>,
        targets: impl IntoIterator<Item = usize>,
        text: impl IntoIterator<Item = Part>,
    ) -> Self {
        Self::new(name, "moderation", targets).user(text)
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

    /// Appends the client's conversation, with only these kinds of content.
    pub fn conversation(mut self, kinds: Modalities) -> Self {
        self.input.push(Input::Conversation(kinds));
        self
    }

    /// Appends a system message.
    pub fn system(self, content: impl IntoIterator<Item = Part>) -> Self {
        self.message(Role::System, content)
    }

    /// Appends a user message.
    pub fn user(self, content: impl IntoIterator<Item = Part>) -> Self {
        self.message(Role::User, content)
    }

    /// Appends an assistant message.
    pub fn assistant(self, content: impl IntoIterator<Item = Part>) -> Self {
        self.message(Role::Assistant, content)
    }

    fn message(mut self, role: Role, content: impl IntoIterator<Item = Part>) -> Self {
        self.input.push(Input::Message(Message { role, content: content.into_iter().collect() }));
        self
    }

    /// Waits for another task. Tasks whose outputs this one uses need not be named.
    pub fn after(mut self, task: TaskId) -> Self {
        if !self.after.contains(&task.number()) {
            self.after.push(task.number());
        }
        self
    }

    /// Lets the plan continue if the task fails.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Limits the output in tokens.
    pub fn at_most(mut self, tokens: u32) -> Self {
        self.max_output_tokens = Some(tokens);
        self
    }

    /// Sets the timeout in milliseconds.
    pub fn in_time(mut self, ms: u32) -> Self {
        self.timeout_ms = Some(ms);
        self
    }

    /// Sets the delay in milliseconds after which the next target is started beside one that has
    /// sent nothing.
    pub fn hedge_after(mut self, ms: u32) -> Self {
        self.hedge_after_ms = Some(ms);
        self
    }

    /// Sets a further member of the call's body, with its value as JSON: `("temperature", 0.2)`.
    pub fn option(mut self, name: &str, json: impl std::fmt::Display) -> Self {
        self.options.push((name.to_owned(), json.to_string()));
        self
    }
}

impl Part {
    /// A text of the policy.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The output of a task by number; empty if the task was optional and failed.
    pub fn output(task: u32) -> Self {
        Self::Output(OutputRef { task, otherwise: None })
    }

    /// The output of a task, or this text if the task was optional and failed.
    pub fn output_or(task: TaskId, otherwise: impl Into<String>) -> Self {
        Self::Output(OutputRef { task: task.number(), otherwise: Some(otherwise.into()) })
    }

    /// A part of the request, by the indices of its message and of the part in it.
    pub fn original(message: u32, part: u32) -> Self {
        Self::Original(ContentRef { message, part, excerpt: None })
    }

    /// Bytes `from..to` of a text part of the request.
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

/// Returns the numbers of the tasks whose outputs a task uses.
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
