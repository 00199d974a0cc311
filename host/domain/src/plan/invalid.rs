use crate::decision::{InvalidDecision, MAX_LABEL};
use crate::model::{Modalities, Operation};

use super::{MAX_STATE, PlanLimitExceeded};

/// Rule of the contract that a plan breaks.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvalidPlan {
    /// The label, the reason, or the targets of a decision are invalid.
    #[error(transparent)]
    Decision(#[from] InvalidDecision),
    /// A decision for the whole request names a model that cannot serve it.
    #[error("target {position} names {model}, which cannot serve the whole request")]
    NotWhole {
        /// Position of the target.
        position: usize,
        /// Id of the model.
        model: String,
    },
    /// The request is for no conversation.
    #[error(
        "a plan answers conversations; this request is for the operation {0}, so one model has to answer it"
    )]
    Operation(Operation),
    /// It has no task.
    #[error("the plan has no task")]
    NoTask,
    /// It exceeds the limit on tasks.
    #[error("the plan has {tasks} tasks, which makes {total} for this request; at most {limit} are allowed")]
    TooManyTasks {
        /// Number of tasks of this plan.
        tasks: usize,
        /// Number of tasks including those of earlier steps.
        total: usize,
        /// Limit.
        limit: usize,
    },
    /// A list is longer than in any valid plan.
    #[error("the plan has {length} {what}; at most {limit} are allowed")]
    TooLong {
        /// Kind of the members.
        what: &'static str,
        /// Number of members, or the number at which counting stopped.
        length: usize,
        /// Limit.
        limit: usize,
    },
    /// The policy exceeds the limit on steps.
    #[error("the policy is still not done after {0} steps")]
    TooManySteps(usize),
    /// It exceeds the limit on output tokens.
    #[error("the tasks may give {tokens} output tokens together; at most {limit} are allowed")]
    TooManyTokens {
        /// Number of tokens that the tasks request.
        tokens: u64,
        /// Number of tokens that are left.
        limit: u32,
    },
    /// Inputs or an answer exceed the limits that are left to the request.
    #[error(transparent)]
    OverLimit(#[from] PlanLimitExceeded),
    /// The state exceeds the limit on its size.
    #[error("the state has {0} bytes; at most {MAX_STATE} are allowed")]
    StateTooLarge(usize),
    /// A task has a name that cannot be displayed.
    #[error(
        "task {number} has the name \"{name}\", which is not 1 to {MAX_LABEL} characters of a-z A-Z 0-9 . _ : / -"
    )]
    Name {
        /// Number of the task.
        number: usize,
        /// Beginning of its name.
        name: String,
    },
    /// The answer uses the output of a task that does not exist.
    #[error("the answer uses the output of task {0}, but there is none")]
    UnknownAnswer(usize),
    /// The answer uses a part of the request that does not exist or has no text.
    #[error("the answer uses part {part} of message {message} of the request, which is no text there")]
    AnswerContent {
        /// Message of the request.
        message: usize,
        /// Part of the message.
        part: usize,
    },
    /// A task is invalid.
    #[error("task `{task}`: {fault}")]
    Task {
        /// Name.
        task: String,
        /// Fault of the task.
        fault: TaskFault,
    },
}

/// Fault of a task.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TaskFault {
    /// The operation does not exist.
    #[error("there is no operation \"{0}\"; there are {known}", known = operation_names())]
    Operation(String),
    /// The targets break a rule for decisions.
    #[error(transparent)]
    Targets(#[from] InvalidDecision),
    /// A target does not support the operation.
    #[error("{model} is not called for {operation}")]
    WrongOperation {
        /// Id of the model.
        model: String,
        /// Operation of the task.
        operation: Operation,
    },
    /// A target does not accept the kinds of content of the input.
    #[error("{model} does not accept {}", names(.kinds))]
    WrongInput {
        /// Id of the model.
        model: String,
        /// Kinds that it does not accept.
        kinds: Modalities,
    },
    /// A target lacks abilities that the client's request needs.
    #[error("{0} cannot give the answer that the client asks for")]
    WrongAbilities(String),
    /// The task has no input.
    #[error("it has no input")]
    NoInput,
    /// The input does not have the shape that the operation requires.
    #[error("{0}")]
    InputShape(&'static str),
    /// The input uses a part of the request that does not exist.
    #[error("it uses part {part} of message {message} of the request, which is not there")]
    UnknownContent {
        /// Message of the request.
        message: usize,
        /// Part of the message.
        part: usize,
    },
    /// An excerpt is out of range, or splits a character.
    #[error("it uses bytes {from} to {to} of part {part} of message {message}, which are no text there")]
    Excerpt {
        /// Message of the request.
        message: usize,
        /// Part of the message.
        part: usize,
        /// First byte.
        from: usize,
        /// End of the range, exclusive.
        to: usize,
    },
    /// It depends on a task that is not in the plan.
    #[error("it waits for task {0}, which is not in this plan")]
    UnknownDependency(usize),
    /// It depends on a task twice.
    #[error("it waits for task {0} twice")]
    RepeatedDependency(usize),
    /// It depends on itself.
    #[error("it waits for itself")]
    SelfDependency,
    /// It is part of a dependency cycle.
    #[error("it waits for itself by way of others: {}", .0.join(" -> "))]
    Cycle(Vec<String>),
    /// It uses the output of a task that it does not depend on.
    #[error("it uses the output of task {0}, which it does not wait for")]
    NotAnAncestor(usize),
    /// It exceeds the limit on the length of a dependency chain.
    #[error("{depth} tasks in a row wait for one another up to it; at most {limit} are allowed")]
    TooDeep {
        /// Length of the chain.
        depth: usize,
        /// Limit.
        limit: usize,
    },
    /// It does not contribute to the answer.
    #[error("it does not lead to the answer")]
    Idle,
    /// It provides the answer, but is not a chat.
    #[error("the output of a task of operation {0} cannot be passed on as the answer")]
    NotAChat(Operation),
    /// It provides the answer, but is optional.
    #[error("it is the answer, so it cannot be optional")]
    OptionalAnswer,
    /// A limit is zero.
    #[error("its {0} is zero")]
    Zero(&'static str),
    /// It sets a member that policies cannot set.
    #[error("the option `{name}` is not allowed for {operation}")]
    UnknownOption {
        /// Beginning of its name.
        name: String,
        /// Operation of the task.
        operation: Operation,
    },
    /// It sets a member to an invalid value.
    #[error("the option `{name}` is not {expected}")]
    OptionValue {
        /// Name.
        name: &'static str,
        /// Values that are valid.
        expected: &'static str,
    },
}

/// Returns the names of all operations as a list for a sentence.
fn operation_names() -> String {
    let names = Operation::ALL.map(Operation::name);
    match names.split_last() {
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

fn names(kinds: &Modalities) -> String {
    kinds.iter_names().map(|(name, _)| name.to_ascii_lowercase()).collect::<Vec<_>>().join(" and ")
}
