//! The types of `wit/orchestration.wit`, as they cross into the sandbox and back.

use std::time::Duration;

use pointsman_domain::plan as domain;
use wasmtime::component::{ComponentType, Lift, Lower};

use super::{
    Candidate, Decision, Modalities, Refusal, Request, Target, milliseconds, saturating_tokens,
    saturating_u32,
};

mod lengths;

/// Parameters of `orchestrator.plan`.
pub(crate) type PlanParams<'a> = (Request<'a>, &'a [Candidate<'a>]);
/// Parameters of `orchestrator.resume`.
pub(crate) type ResumeParams<'a> = (Request<'a>, &'a [Candidate<'a>], &'a [u8], &'a [TaskResult<'a>]);
/// Results of `orchestrator.plan` and `orchestrator.resume`.
pub(crate) type StepResults = (Result<Step, Refusal>,);

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct ContentRef {
    message: u32,
    part: u32,
    excerpt: Option<(u32, u32)>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct OutputRef {
    task: u32,
    otherwise: Option<String>,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
pub(crate) enum Part {
    #[component(name = "text")]
    Text(String),
    #[component(name = "original")]
    Original(ContentRef),
    #[component(name = "output")]
    Output(OutputRef),
}

#[derive(ComponentType, Lift, Clone, Copy)]
#[expect(dead_code, reason = "policies construct the values; lifting reads them by number")]
#[component(enum)]
#[repr(u8)]
pub(crate) enum Role {
    #[component(name = "system")]
    System,
    #[component(name = "user")]
    User,
    #[component(name = "assistant")]
    Assistant,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct Message {
    role: Role,
    content: Vec<Part>,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
pub(crate) enum Input {
    #[component(name = "conversation")]
    Conversation(Modalities),
    #[component(name = "message")]
    Message(Message),
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct Task {
    name: String,
    operation: String,
    targets: Vec<Target>,
    input: Vec<Input>,
    after: Vec<u32>,
    optional: bool,
    #[component(name = "max-output-tokens")]
    max_output_tokens: Option<u32>,
    #[component(name = "timeout-ms")]
    timeout_ms: Option<u32>,
    #[component(name = "hedge-after-ms")]
    hedge_after_ms: Option<u32>,
    options: Vec<(String, String)>,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
pub(crate) enum Next {
    #[component(name = "answer")]
    Answer(u32),
    #[component(name = "compose")]
    Compose(Vec<Part>),
    #[component(name = "resume")]
    Resume(Vec<u8>),
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct Plan {
    tasks: Vec<Task>,
    next: Next,
    label: String,
    reason: Option<String>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct Finished {
    content: Vec<Part>,
    label: String,
    reason: Option<String>,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
pub(crate) enum Step {
    #[component(name = "route")]
    Route(Decision),
    #[component(name = "run")]
    Run(Plan),
    #[component(name = "finish")]
    Finish(Finished),
}

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
pub(crate) enum TaskStatus {
    #[component(name = "done")]
    Done,
    #[component(name = "failed")]
    Failed,
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub(crate) struct TaskResult<'a> {
    task: u32,
    name: &'a str,
    status: TaskStatus,
    candidate: Option<u32>,
    #[component(name = "finish-reason")]
    finish_reason: Option<&'a str>,
    #[component(name = "output-bytes")]
    output_bytes: u32,
    #[component(name = "input-tokens")]
    input_tokens: u32,
    #[component(name = "output-tokens")]
    output_tokens: u32,
    cost: f64,
    #[component(name = "latency-ms")]
    latency_ms: f64,
    error: Option<&'a str>,
}

/// A part of the request's content, for `outline.parts`.
#[derive(ComponentType, Lower)]
#[component(record)]
pub(crate) struct ContentPart {
    pub(crate) message: u32,
    pub(crate) part: u32,
    pub(crate) role: &'static str,
    pub(crate) kind: Modalities,
    pub(crate) bytes: u32,
}

impl<'a> TaskResult<'a> {
    /// Converts the results of all tasks, in the order of their numbers.
    pub(crate) fn list(results: &'a [domain::TaskResult]) -> Vec<Self> {
        results.iter().enumerate().map(|(number, result)| Self::new(number, result)).collect()
    }

    fn new(number: usize, result: &'a domain::TaskResult) -> Self {
        Self {
            task: saturating_u32(number),
            name: &result.name,
            status: if result.output.is_some() { TaskStatus::Done } else { TaskStatus::Failed },
            candidate: result.candidate.map(saturating_u32),
            finish_reason: result.finish_reason.as_deref(),
            output_bytes: result.output.as_ref().map_or(0, |output| saturating_u32(output.len())),
            input_tokens: saturating_tokens(result.usage.input_tokens),
            output_tokens: saturating_tokens(result.usage.output_tokens),
            cost: result.cost.usd(),
            latency_ms: milliseconds(result.latency),
            error: result.error.as_deref(),
        }
    }
}

impl From<Part> for domain::ComposedPart {
    fn from(part: Part) -> Self {
        match part {
            Part::Text(text) => Self::Text(text),
            Part::Original(ContentRef { message, part, excerpt }) => Self::Original(domain::ContentRef {
                message: message as usize,
                part: part as usize,
                excerpt: excerpt.map(|(from, to)| (from as usize, to as usize)),
            }),
            Part::Output(OutputRef { task, otherwise }) => {
                Self::Output(domain::OutputRef { task: task as usize, otherwise })
            }
        }
    }
}

impl From<Input> for domain::TaskInput {
    fn from(input: Input) -> Self {
        match input {
            Input::Conversation(kinds) => Self::Conversation(kinds.into()),
            Input::Message(Message { role, content }) => {
                let role = match role {
                    Role::System => domain::MessageRole::System,
                    Role::User => domain::MessageRole::User,
                    Role::Assistant => domain::MessageRole::Assistant,
                };
                Self::Message(domain::ComposedMessage { role, content: convert_all(content) })
            }
        }
    }
}

impl From<Task> for domain::TaskProposal {
    fn from(task: Task) -> Self {
        let time = |ms: u32| Duration::from_millis(ms.into());
        Self {
            name: task.name,
            operation: task.operation,
            targets: convert_all(task.targets),
            input: convert_all(task.input),
            after: task.after.into_iter().map(|number| number as usize).collect(),
            optional: task.optional,
            max_output_tokens: task.max_output_tokens,
            timeout: task.timeout_ms.map(time),
            hedge_after: task.hedge_after_ms.map(time),
            options: task.options,
        }
    }
}

impl From<Plan> for domain::PlanProposal {
    fn from(plan: Plan) -> Self {
        Self {
            tasks: convert_all(plan.tasks),
            next: match plan.next {
                Next::Answer(task) => domain::Continuation::Answer(task as usize),
                Next::Compose(parts) => domain::Continuation::Compose(convert_all(parts)),
                Next::Resume(state) => domain::Continuation::Resume(state),
            },
            label: plan.label,
            reason: plan.reason,
        }
    }
}

impl From<Finished> for domain::FinishProposal {
    fn from(finished: Finished) -> Self {
        Self { content: convert_all(finished.content), label: finished.label, reason: finished.reason }
    }
}

fn convert_all<T, U: From<T>>(items: Vec<T>) -> Vec<U> {
    items.into_iter().map(U::from).collect()
}
