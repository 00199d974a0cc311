use crate::decision::{InvalidDecision, MAX_LABEL};
use crate::model::{Modalities, Operation};

use super::{MAX_STATE, PlanLimitExceeded};

/// Which rule of the contract a plan broke.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvalidPlan {
    /// A label, a reason, or the targets of a decision.
    #[error(transparent)]
    Decision(#[from] InvalidDecision),
    /// A decision for the whole request that names a model which cannot serve it.
    #[error("target {position} names {model}, which cannot serve the whole request")]
    NotWhole {
        /// Place in the list of targets.
        position: usize,
        /// The model's id.
        model: String,
    },
    /// Nothing to do.
    #[error("the plan has no task")]
    NoTask,
    /// More tasks than the limit.
    #[error("the plan has {tasks} tasks, which makes {total} for this request; at most {limit} are allowed")]
    TooManyTasks {
        /// Tasks of this plan.
        tasks: usize,
        /// With those of earlier steps.
        total: usize,
        /// Most that are allowed.
        limit: usize,
    },
    /// A list that is longer than any valid plan's.
    #[error("the plan has {length} {what}; at most {limit} are allowed")]
    TooLong {
        /// Kind of the members.
        what: &'static str,
        /// Number of members, or of those counted before the count was given up.
        length: usize,
        /// Most that are allowed.
        limit: usize,
    },
    /// The policy was asked too often.
    #[error("the policy is still not done after {0} steps")]
    TooManySteps(usize),
    /// More tokens than the limit.
    #[error("the tasks may give {tokens} output tokens together; at most {limit} are allowed")]
    TooManyTokens {
        /// What they ask for.
        tokens: u64,
        /// What is left.
        limit: u32,
    },
    /// Inputs or an answer larger than what is left to the request.
    #[error(transparent)]
    PlanLimitExceeded(#[from] PlanLimitExceeded),
    /// More bytes than the limit.
    #[error("the state has {0} bytes; at most {MAX_STATE} are allowed")]
    StateTooLarge(usize),
    /// A task whose name cannot be shown.
    #[error(
        "task {number} has the name \"{name}\", which is not 1 to {MAX_LABEL} characters of a-z A-Z 0-9 . _ : / -"
    )]
    Name {
        /// The task.
        number: usize,
        /// The beginning of its name.
        name: String,
    },
    /// The answer uses the output of a task that is not there.
    #[error("the answer uses the output of task {0}, but there is none")]
    UnknownAnswer(usize),
    /// The answer uses a part of the request that is not there, or has no text.
    #[error("the answer uses part {part} of message {message} of the request, which is no text there")]
    AnswerContent {
        /// The message.
        message: usize,
        /// Its part.
        part: usize,
    },
    /// Something is wrong with a task.
    #[error("task `{task}`: {fault}")]
    Task {
        /// Its name.
        task: String,
        /// What.
        fault: TaskFault,
    },
}

/// What is wrong with a task of a plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TaskFault {
    /// An operation that the gateway does not know.
    #[error("there is no operation \"{0}\"; there are {known}", known = operation_names())]
    Operation(String),
    /// Its targets break a rule of decisions.
    #[error(transparent)]
    Targets(#[from] InvalidDecision),
    /// A target that cannot do it.
    #[error("{model} is not called for {operation}")]
    WrongOperation {
        /// The model's id.
        model: String,
        /// What the task asks for.
        operation: Operation,
    },
    /// A target that does not take what the task gives it.
    #[error("{model} does not accept {}", names(.kinds))]
    WrongInput {
        /// The model's id.
        model: String,
        /// What it does not take.
        kinds: Modalities,
    },
    /// A target that lacks what the client asks for.
    #[error("{0} cannot give the answer that the client asks for")]
    WrongAbilities(String),
    /// Nothing is given to the model.
    #[error("it has no input")]
    NoInput,
    /// Not what a transcription or an embedding takes.
    #[error("{0}")]
    InputShape(&'static str),
    /// A part of the request that is not there.
    #[error("it uses part {part} of message {message} of the request, which is not there")]
    UnknownContent {
        /// The message.
        message: usize,
        /// Its part.
        part: usize,
    },
    /// An excerpt past the end of the text, or through a character.
    #[error("it uses bytes {from} to {to} of part {part} of message {message}, which are no text there")]
    Excerpt {
        /// The message.
        message: usize,
        /// Its part.
        part: usize,
        /// First byte.
        from: usize,
        /// Byte after the last.
        to: usize,
    },
    /// It waits for a task that is not in the plan.
    #[error("it waits for task {0}, which is not in this plan")]
    UnknownDependency(usize),
    /// It waits for a task twice.
    #[error("it waits for task {0} twice")]
    RepeatedDependency(usize),
    /// It waits for itself.
    #[error("it waits for itself")]
    SelfDependency,
    /// It is part of a circle.
    #[error("it waits for itself by way of others: {}", .0.join(" -> "))]
    Cycle(Vec<String>),
    /// It uses an output that need not be there when it begins.
    #[error("it uses the output of task {0}, which it does not wait for")]
    NotAnAncestor(usize),
    /// Too many tasks have to end before it.
    #[error("{depth} tasks in a row wait for one another up to it; at most {limit} are allowed")]
    TooDeep {
        /// How many.
        depth: usize,
        /// Most that are allowed.
        limit: usize,
    },
    /// It contributes nothing.
    #[error("it does not lead to the answer")]
    Idle,
    /// The answer is to come from something else than a chat.
    #[error("the output of a task of operation {0} cannot be passed on as the answer")]
    NotAChat(Operation),
    /// The task that answers cannot be left out.
    #[error("it is the answer, so it cannot be optional")]
    OptionalAnswer,
    /// A limit of zero.
    #[error("its {0} is zero")]
    Zero(&'static str),
    /// A member that a policy may not set.
    #[error("the option `{name}` is not allowed for {operation}")]
    UnknownOption {
        /// The beginning of its name.
        name: String,
        /// What the task asks for.
        operation: Operation,
    },
    /// A member with a value that does not fit.
    #[error("the option `{name}` is not {expected}")]
    OptionValue {
        /// Its name.
        name: &'static str,
        /// What would fit.
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
