//! Construction of plans.
//!
//! A plan has tasks, and a next step for when they have ended. Most plans have one of three
//! shapes.
//!
//! **Fan-out**: concurrent tasks, and one that answers from their outputs.
//!
//! ```
//! # use pointsman_sdk::prelude::*;
//! # use pointsman_sdk::plan::{Part, Plan, Step, Task};
//! # use pointsman_sdk::{Modalities, outline};
//! fn describe_and_answer(pictures: &[outline::ContentPart]) -> Step {
//!     let mut plan = Plan::new();
//!     let seen = plan.fan_out(pictures, |picture| {
//!         Task::chat("describe", [0]).user([Part::text("What does this show? "), picture.into()])
//!     });
//!     let mut notes = vec![Part::text("The pictures show:")];
//!     notes.extend(seen.into_iter().flat_map(|task| [Part::text("\n- "), task.into()]));
//!     let answer = plan.add(Task::chat("answer", [1]).conversation(Modalities::TEXT).system(notes));
//!     plan.answer(answer, "describe-and-answer")
//! }
//! ```
//!
//! **Chain**: each task uses the output of the one before. A task waits for the tasks whose
//! outputs it uses, so the dependencies need not be declared.
//!
//! ```
//! # use pointsman_sdk::plan::{Part, Plan, Step, Task};
//! # use pointsman_sdk::Modalities;
//! fn draft_and_revise() -> Step {
//!     let mut plan = Plan::new();
//!     let draft = plan.add(Task::chat("draft", [0]).conversation(Modalities::all()));
//!     let revised = Task::chat("revise", [1])
//!         .conversation(Modalities::all())
//!         .assistant([draft.into()])
//!         .user([Part::text("Correct what is wrong in this answer, and give it again.")]);
//!     let revised = plan.add(revised);
//!     plan.answer(revised, "draft-and-revise")
//! }
//! ```
//!
//! **Cascade**: a task, a check of its output, and a further task if the output is not good enough.
//!
//! ```
//! # use pointsman_sdk::prelude::*;
//! # use pointsman_sdk::plan::{self, Part, Plan, Step, Task};
//! # use pointsman_sdk::{Modalities, Orchestrator, TaskResult, outputs};
//! # struct JsonOrLarge;
//! impl Orchestrator for JsonOrLarge {
//! #   type Settings = NoSettings;
//! #   fn new(_: NoSettings) -> Result<Self, String> { Ok(Self) }
//!     fn plan(&mut self, _: &Request, _: &[Candidate]) -> Result<Step, Refusal> {
//!         let mut plan = Plan::new();
//!         plan.add(Task::chat("try", [0]).conversation(Modalities::all()).optional());
//!         Ok(plan.resume(&(), "cheap-first"))
//!     }
//!
//!     fn resume(
//!         &mut self,
//!         _: &Request,
//!         _: &[Candidate],
//!         _: &[u8],
//!         results: &[TaskResult],
//!     ) -> Result<Step, Refusal> {
//!         let said = outputs::text(0, 65_536).unwrap_or_default();
//!         if said.trim_start().starts_with('{') {
//!             return Ok(plan::finish([Part::output(0)], "cheap-first"));
//!         }
//!         let mut plan = Plan::after(results);
//!         let better = plan.add(Task::chat("again", [1]).conversation(Modalities::all()));
//!         Ok(plan.answer(better, "cheap-first:escalated"))
//!     }
//! }
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::orchestrating::pointsman::policy::plans;
use crate::decision::format_reason;
use crate::{Candidate, Modalities, Refusal, Request, TaskResult, details, outline};

mod task;

#[cfg(not(target_family = "wasm"))]
pub(crate) use task::outputs_used;

pub use plans::{
    ContentRef, Finished, Input, Message, Next, OutputRef, Part, Plan as PlanRecord, Role, Step, Task,
    TaskStatus,
};

/// A plan under construction. Its tasks get their numbers as they are added.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The number of the first task: tasks are counted through all steps.
    first: u32,
    tasks: Vec<Task>,
}

/// A task that was added to a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskId(u32);

impl Plan {
    /// The first plan of a request.
    pub fn new() -> Self {
        Self::default()
    }

    /// A further plan, after tasks with these results.
    pub fn after(results: &[TaskResult]) -> Self {
        Self { first: results.len() as u32, tasks: Vec::new() }
    }

    /// Adds a task. It waits for the tasks of this plan whose outputs it uses.
    pub fn add(&mut self, mut task: Task) -> TaskId {
        for used in task::outputs_used(&task) {
            if used >= self.first && !task.after.contains(&used) {
                task.after.push(used);
            }
        }
        self.tasks.push(task);
        TaskId(self.first + self.tasks.len() as u32 - 1)
    }

    /// Adds a task for each item; they run concurrently.
    pub fn fan_out<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        task: impl FnMut(T) -> Task,
    ) -> Vec<TaskId> {
        items.into_iter().map(task).map(|task| self.add(task)).collect()
    }

    /// Returns the number of tasks.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Returns true without tasks.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Ends the plan with a task whose output is the answer, streamed to the client. All other
    /// tasks must lead to it. The label follows the rules of [`Decision::of`](crate::Decision::of).
    pub fn answer(self, task: TaskId, label: impl Into<String>) -> Step {
        self.then(Next::Answer(task.0), label)
    }

    /// Ends the plan with an answer composed of parts once all tasks have ended.
    pub fn compose(self, parts: impl IntoIterator<Item = Part>, label: impl Into<String>) -> Step {
        self.then(Next::Compose(parts.into_iter().collect()), label)
    }

    /// Ends the plan with a call of
    /// [`Orchestrator::resume`](crate::Orchestrator::resume) once all tasks have ended, with
    /// this state. A state that cannot be serialised as JSON is passed as empty.
    pub fn resume(self, state: &impl Serialize, label: impl Into<String>) -> Step {
        self.then(Next::Resume(serde_json::to_vec(state).unwrap_or_default()), label)
    }

    fn then(self, next: Next, label: impl Into<String>) -> Step {
        Step::Run(PlanRecord { tasks: self.tasks, next, label: label.into(), reason: None })
    }
}

impl TaskId {
    /// Returns the number by which results and outputs refer to the task.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl Step {
    /// Adds a reason, as [`Decision::because`](crate::Decision::because).
    pub fn because(mut self, reason: impl std::fmt::Display) -> Self {
        let reason = Some(format_reason(reason));
        match &mut self {
            Self::Route(decision) => decision.reason = reason,
            Self::Run(plan) => plan.reason = reason,
            Self::Finish(finished) => finished.reason = reason,
        }
        self
    }
}

/// Answers the request without a further task.
pub fn finish(parts: impl IntoIterator<Item = Part>, label: impl Into<String>) -> Step {
    Step::Finish(Finished { content: parts.into_iter().collect(), label: label.into(), reason: None })
}

/// Reads the state of the plan that is resumed.
pub fn state<S: DeserializeOwned>(bytes: &[u8]) -> Result<S, Refusal> {
    serde_json::from_slice(bytes)
        .map_err(|error| Refusal::Internal(format!("the plan's state cannot be read: {error}")))
}

/// Returns the candidates that support an operation (`chat`, `transcription`, `embedding` …) with
/// these kinds of content: healthy ones first, otherwise in their order.
pub fn able(candidates: &[Candidate], operation: &str, kinds: Modalities) -> Vec<usize> {
    let able = |&index: &usize| {
        candidates[index].inputs.contains(kinds)
            && details::candidate_operations(index).iter().any(|name| name == operation)
    };
    let mut indices: Vec<usize> = (0..candidates.len()).filter(able).collect();
    indices.sort_by_key(|&index| !candidates[index].healthy);
    indices
}

/// Returns true if the request is too long for every model that accepts its content and has its
/// abilities. Then a plan with a task that gets the whole conversation cannot succeed either.
pub fn is_too_long(request: &Request, candidates: &[Candidate]) -> bool {
    let accepts = |&index: &usize| candidates[index].abilities.contains(request.needs);
    // The context window is the only other reason why a candidate cannot serve a request whole.
    outline::whole() == 0 && able(candidates, &request.operation, request.inputs).iter().any(accepts)
}

#[cfg(test)]
mod tests;
