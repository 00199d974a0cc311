//! A request cut into tasks: what a policy proposes, and what is left of it
//! after validation.
//!
//! As with decisions, a proposal comes out of a sandbox that a stranger may have
//! written. Only a [`Plan`] is run, and the only way to one is
//! [`PlanProposal::validate`]. [`Progress`] tells which of its tasks may begin.

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

/// Most bytes that a policy may hand from one step to the next.
pub const MAX_STATE: usize = 64 << 10;

/// A part of the request's content, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentRef {
    /// The message, the oldest being 0.
    pub message: usize,
    /// The part of that message.
    pub part: usize,
    /// Bytes `from..to` of a text; `None` for the whole part.
    pub excerpt: Option<(usize, usize)>,
}

/// The output of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputRef {
    /// Its number, counted through all steps of the request.
    pub task: usize,
    /// What stands in its place when there is none.
    pub otherwise: Option<String>,
}

/// A piece of a message or of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComposedPart {
    /// The policy's own words.
    Text(String),
    /// A part of the request.
    Original(ContentRef),
    /// What a task gave.
    Output(OutputRef),
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageRole {
    /// Whoever set the conversation up.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// A message that a policy put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComposedMessage {
    /// Who speaks.
    pub role: MessageRole,
    /// What is said.
    pub content: Vec<ComposedPart>,
}

/// What a task's model is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskInput {
    /// The messages of the request, with only these kinds of parts.
    Conversation(Modalities),
    /// A message of the policy's.
    Message(ComposedMessage),
}

/// A call to one model, as a policy proposes it.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskProposal {
    /// For people.
    pub name: String,
    /// What the model is called for, by name.
    pub operation: String,
    /// Candidates in order.
    pub targets: Vec<Target>,
    /// What the model is given.
    pub input: Vec<TaskInput>,
    /// The tasks that have to end first.
    pub after: Vec<usize>,
    /// Whether the plan goes on when it fails.
    pub optional: bool,
    /// Most tokens of the output.
    pub max_output_tokens: Option<u32>,
    /// Longest time for all attempts.
    pub timeout: Option<Duration>,
    /// When to start the next target beside a silent one.
    pub hedge_after: Option<Duration>,
    /// Further members of the call, values in JSON.
    pub options: Vec<(String, String)>,
}

/// What follows when all tasks of a plan have ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Continuation {
    /// The output of this task is the answer.
    Answer(usize),
    /// The answer is put together.
    Compose(Vec<ComposedPart>),
    /// The policy is asked again, with these bytes.
    Resume(Vec<u8>),
}

/// What a policy proposes, unchecked.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanProposal {
    /// The tasks.
    pub tasks: Vec<TaskProposal>,
    /// What follows.
    pub next: Continuation,
    /// What kind of plan it is.
    pub label: String,
    /// Why.
    pub reason: Option<String>,
}

/// An answer that a policy proposes, unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishProposal {
    /// Its parts.
    pub content: Vec<ComposedPart>,
    /// What kind of answer it is.
    pub label: String,
    /// Why.
    pub reason: Option<String>,
}

/// A task of a checked plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// What the model is called for.
    pub operation: Operation,
    /// What the model is given.
    pub input: Vec<TaskInput>,
    /// The tasks of the same plan that have to end first, by number.
    pub after: Vec<usize>,
    /// Whether the plan goes on when it fails.
    pub optional: bool,
    /// Most tokens of the output.
    pub max_output_tokens: Option<u32>,
    /// Longest time for all attempts.
    pub timeout: Option<Duration>,
    /// Further members of the call: a name, and a value in JSON.
    pub options: Vec<(String, String)>,
    /// Size of the input without outputs of other tasks.
    size: ContentSize,
    /// Which models are tried; its label is the task's name.
    decision: Decision,
}

/// Tasks in an order that can be run. Checked: no circles, references in range,
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

/// A checked answer of a policy's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finish {
    content: Vec<ComposedPart>,
    size: ContentSize,
    label: String,
    reason: Option<String>,
}

/// What an orchestrating policy says is to be done now, checked.
#[derive(Clone, Debug, PartialEq)]
pub enum PlanStep {
    /// One model answers the request as it is.
    Route(Decision),
    /// Tasks are run.
    Run(Plan),
    /// The answer is there.
    Finish(Finish),
}

impl Task {
    /// For people and for traces.
    pub fn name(&self) -> &str {
        self.decision.label()
    }

    /// Which models are tried, in order.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// The tasks whose outputs it uses.
    pub fn uses(&self) -> impl Iterator<Item = usize> + '_ {
        outputs_of_inputs(&self.input).map(|output| output.task)
    }

    /// Size of the input, given the size of the text of each output.
    pub fn size(&self, output: impl Fn(usize) -> Option<ContentSize>) -> ContentSize {
        self.size + size_of_outputs(outputs_of_inputs(&self.input), output)
    }
}

impl Plan {
    /// The number of its first task: tasks are counted through all steps.
    pub fn first(&self) -> usize {
        self.first
    }

    /// Its tasks, in the order of their numbers.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// A task by its number.
    pub fn task(&self, number: usize) -> Option<&Task> {
        self.tasks.get(number.checked_sub(self.first)?)
    }

    /// What follows when all have ended.
    pub fn next(&self) -> &Continuation {
        &self.next
    }

    /// The task whose output is the answer, if one is.
    pub fn answering(&self) -> Option<usize> {
        match self.next {
            Continuation::Answer(task) => Some(task),
            Continuation::Compose(_) | Continuation::Resume(_) => None,
        }
    }

    /// Size of the answer if it is composed, given the size of the text of each
    /// output.
    pub fn answer_size(&self, output: impl Fn(usize) -> Option<ContentSize>) -> ContentSize {
        match &self.next {
            Continuation::Compose(parts) => self.answer_size + size_of_outputs(outputs_of(parts), output),
            Continuation::Answer(_) | Continuation::Resume(_) => ContentSize::default(),
        }
    }

    /// What kind of plan it is.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Why, in the policy's words.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

impl Finish {
    /// Size of the answer, given the size of the text of each output.
    pub fn size(&self, output: impl Fn(usize) -> Option<ContentSize>) -> ContentSize {
        self.size + size_of_outputs(outputs_of(&self.content), output)
    }

    /// What the answer is put together from.
    pub fn content(&self) -> &[ComposedPart] {
        &self.content
    }

    /// What kind of answer it is.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Why, in the policy's words.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

impl PlanStep {
    /// What kind of step it is.
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

/// Size of what stands in the places of references to outputs.
fn size_of_outputs<'a>(
    references: impl Iterator<Item = &'a OutputRef>,
    output: impl Fn(usize) -> Option<ContentSize>,
) -> ContentSize {
    let size = |reference: &OutputRef| match (output(reference.task), &reference.otherwise) {
        (Some(size), _) => size,
        (None, Some(otherwise)) => ContentSize::unwritten(otherwise),
        (None, None) => ContentSize::default(),
    };
    // The reference itself is counted as a piece already.
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
