//! Plans, which split a request into tasks, and their validation.
//!
//! As with decisions, a proposal comes out of a sandbox whose code is not trusted. Only a [`Plan`]
//! is run, and [`PlanProposal::validate`] is the only way to make one. [`PlanProgress`] decides
//! which of its tasks can start.

use std::time::Duration;

use crate::decision::{Decision, Target};
use crate::model::{Modalities, Operation};
use crate::prompt::ContentSize;

mod critical_path;
mod invalid;
mod limits;
mod progress;
mod result;
mod spending;
mod validate;

pub use critical_path::{TaskSpan, critical_path};
pub use invalid::{InvalidPlan, TaskFault};
pub use limits::PlanLimits;
pub use progress::PlanProgress;
pub use result::TaskResult;
pub use spending::{CallLimits, OutputLimit, PlanLimitExceeded, PlanSpending, Spend};
pub use validate::PlanScope;

/// Longest state that a policy can pass from one step to the next, in bytes.
pub const MAX_STATE: usize = 64 << 10;

/// Reference to a part of the request's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentRef {
    /// Message, counted from 0 at the oldest.
    pub message: usize,
    /// Part of that message.
    pub part: usize,
    /// Range of bytes of a text; `None` for the whole part.
    pub excerpt: Option<(usize, usize)>,
}

/// Reference to the output of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputRef {
    /// Number of the task, counted over all steps of the request.
    pub task: usize,
    /// Text that replaces an output that is missing.
    pub otherwise: Option<String>,
}

/// Part of a message or of an answer that a policy composes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComposedPart {
    /// Text of the policy.
    Text(String),
    /// Part of the request.
    Original(ContentRef),
    /// Output of a task.
    Output(OutputRef),
}

/// Role of a message's author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageRole {
    /// Operator of the conversation.
    System,
    /// User.
    User,
    /// Model.
    Assistant,
}

/// Message that a policy composed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComposedMessage {
    /// Role of a message's author.
    pub role: MessageRole,
    /// Content.
    pub content: Vec<ComposedPart>,
}

/// Part of the input of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskInput {
    /// Messages of the request, with only these kinds of parts.
    Conversation(Modalities),
    /// Message that the policy composed.
    Message(ComposedMessage),
}

/// Task before validation.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskProposal {
    /// Name for display.
    pub name: String,
    /// Name of the operation.
    pub operation: String,
    /// Candidates to call, in order.
    pub targets: Vec<Target>,
    /// Input of the model.
    pub input: Vec<TaskInput>,
    /// Tasks that have to end first.
    pub after: Vec<usize>,
    /// True if the plan continues if the task fails.
    pub optional: bool,
    /// Most tokens of the output.
    pub max_output_tokens: Option<u32>,
    /// Longest time for all calls.
    pub timeout: Option<Duration>,
    /// Time without a response after which the next target is called as well.
    pub hedge_after: Option<Duration>,
    /// Further members of the call: names, and values in JSON.
    pub options: Vec<(String, String)>,
}

/// Continuation of a plan after its last task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Continuation {
    /// Answer with the output of this task.
    Answer(usize),
    /// Compose the answer from parts.
    Compose(Vec<ComposedPart>),
    /// Call the policy again, with this state.
    Resume(Vec<u8>),
}

/// Plan before validation.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanProposal {
    /// The tasks.
    pub tasks: Vec<TaskProposal>,
    /// Continuation after the tasks.
    pub next: Continuation,
    /// Label of the kind of plan.
    pub label: String,
    /// Reason for it.
    pub reason: Option<String>,
}

/// Composed answer before validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishProposal {
    /// Parts of the answer.
    pub content: Vec<ComposedPart>,
    /// Label of the kind of answer.
    pub label: String,
    /// Reason for it.
    pub reason: Option<String>,
}

/// Task of a validated plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Operation of the call.
    pub operation: Operation,
    /// Input of the model.
    pub input: Vec<TaskInput>,
    /// Numbers of the tasks of the plan that have to end first.
    pub after: Vec<usize>,
    /// True if the plan continues if the task fails.
    pub optional: bool,
    /// Most tokens of the output.
    pub max_output_tokens: Option<u32>,
    /// Longest time for all calls.
    pub timeout: Option<Duration>,
    /// Further members of the call: names, and values in JSON.
    pub options: Vec<(String, String)>,
    /// Size of the input without outputs of other tasks.
    size: ContentSize,
    /// Candidates to call. The label is the task's name.
    decision: Decision,
}

/// Tasks with an order in which they can run. Validated: no dependency cycles, references in range,
/// every target able to do its task, everything within the limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    first: usize,
    tasks: Vec<Task>,
    next: Continuation,
    /// Size of a composed answer without outputs.
    answer_size: ContentSize,
    label: String,
    reason: Option<String>,
}

/// Validated answer that a policy composed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finish {
    content: Vec<ComposedPart>,
    size: ContentSize,
    label: String,
    reason: Option<String>,
}

/// Validated decision of an orchestrating policy.
#[derive(Clone, Debug, PartialEq)]
pub enum PlanStep {
    /// Pass the request to one model.
    Route(Decision),
    /// Run tasks.
    Run(Plan),
    /// Return an answer.
    Finish(Finish),
}

impl Task {
    /// Returns the name for display and for traces.
    pub fn name(&self) -> &str {
        self.decision.label()
    }

    /// Returns the candidates to call, in order.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Returns the tasks whose outputs it uses.
    pub fn uses(&self) -> impl Iterator<Item = usize> + '_ {
        outputs_of_inputs(&self.input).map(|output| output.task)
    }

    /// Returns the size of the input, given the size of each output's text.
    pub fn size(&self, output: impl Fn(usize) -> Option<ContentSize>) -> ContentSize {
        self.size + size_of_outputs(outputs_of_inputs(&self.input), output)
    }
}

impl Plan {
    /// Returns the number of its first task. Tasks are counted over all steps.
    pub fn first(&self) -> usize {
        self.first
    }

    /// Returns its tasks in the order of their numbers.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// Returns a task by its number.
    pub fn task(&self, number: usize) -> Option<&Task> {
        self.tasks.get(number.checked_sub(self.first)?)
    }

    /// Returns the continuation after the last task.
    pub fn next(&self) -> &Continuation {
        &self.next
    }

    /// Returns the task whose output is the answer, if there is one.
    pub fn answering(&self) -> Option<usize> {
        match self.next {
            Continuation::Answer(task) => Some(task),
            Continuation::Compose(_) | Continuation::Resume(_) => None,
        }
    }

    /// Returns the size of the answer if it is composed, given the size of each output's text.
    pub fn answer_size(&self, output: impl Fn(usize) -> Option<ContentSize>) -> ContentSize {
        match &self.next {
            Continuation::Compose(parts) => self.answer_size + size_of_outputs(outputs_of(parts), output),
            Continuation::Answer(_) | Continuation::Resume(_) => ContentSize::default(),
        }
    }

    /// Returns the label of the kind of plan.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns the policy's reason.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

impl Finish {
    /// Returns the size of the answer, given the size of each output's text.
    pub fn size(&self, output: impl Fn(usize) -> Option<ContentSize>) -> ContentSize {
        self.size + size_of_outputs(outputs_of(&self.content), output)
    }

    /// Returns the parts of the answer.
    pub fn content(&self) -> &[ComposedPart] {
        &self.content
    }

    /// Returns the label of the kind of answer.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns the policy's reason.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

impl PlanStep {
    /// Returns the label of the step.
    pub fn label(&self) -> &str {
        match self {
            Self::Route(decision) => decision.label(),
            Self::Run(plan) => plan.label(),
            Self::Finish(finish) => finish.label(),
        }
    }
}

fn outputs_of_inputs(input: &[TaskInput]) -> impl Iterator<Item = &OutputRef> {
    let messages = input.iter().filter_map(|input| match input {
        TaskInput::Message(message) => Some(message.content.as_slice()),
        TaskInput::Conversation(_) => None,
    });
    messages.flat_map(outputs_of)
}

/// Returns the total size of the outputs, or of their replacements.
fn size_of_outputs<'a>(
    references: impl Iterator<Item = &'a OutputRef>,
    output: impl Fn(usize) -> Option<ContentSize>,
) -> ContentSize {
    let size = |reference: &OutputRef| match (output(reference.task), &reference.otherwise) {
        (Some(size), _) => size,
        (None, Some(otherwise)) => ContentSize::unwritten(otherwise),
        (None, None) => ContentSize::default(),
    };
    // The reference itself is already counted as a piece.
    let size = |reference| ContentSize { pieces: 0, ..size(reference) };
    references.map(size).fold(ContentSize::default(), std::ops::Add::add)
}

fn outputs_of(parts: &[ComposedPart]) -> impl Iterator<Item = &OutputRef> {
    parts.iter().filter_map(|part| match part {
        ComposedPart::Output(output) => Some(output),
        ComposedPart::Text(_) | ComposedPart::Original(_) => None,
    })
}

#[cfg(test)]
mod tests;
