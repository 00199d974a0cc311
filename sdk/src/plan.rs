//! Putting plans together.
//!
//! A plan is tasks and what follows when they have ended. Three shapes make up
//! most plans, and each is a few lines.
//!
//! **Fan out**: several tasks at once, and one that answers from what they gave.
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
//! **Chain**: each task works on what the one before gave. A task waits for those
//! whose output it uses, so there is nothing else to say.
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
//! **Cascade**: a task, a look at what it gave, and another one if that will not do.
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
use crate::decision::reason;
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

    /// Adds a task for each item; they run side by side.
    pub fn fan_out<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        task: impl FnMut(T) -> Task,
    ) -> Vec<TaskId> {
        items.into_iter().map(task).map(|task| self.add(task)).collect()
    }

    /// How many tasks it has.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// The output of this task is the answer, passed on while it arrives. All
    /// other tasks have to lead to it. The label is as that of a decision.
    pub fn answer(self, task: TaskId, label: impl Into<String>) -> Step {
        self.then(Next::Answer(task.0), label)
    }

    /// The answer is put together from parts when all tasks have ended.
    pub fn compose(self, parts: impl IntoIterator<Item = Part>, label: impl Into<String>) -> Step {
        self.then(Next::Compose(parts.into_iter().collect()), label)
    }

    /// The policy is asked again when all tasks have ended, with this state. State
    /// that cannot be written as JSON is empty.
    pub fn resume(self, state: &impl Serialize, label: impl Into<String>) -> Step {
        self.then(Next::Resume(serde_json::to_vec(state).unwrap_or_default()), label)
    }

    fn then(self, next: Next, label: impl Into<String>) -> Step {
        Step::Run(PlanRecord { tasks: self.tasks, next, label: label.into(), reason: None })
    }
}

impl TaskId {
    /// Its number, by which results and outputs tell of it.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl Step {
    /// Says why, as [`Decision::because`](crate::Decision::because).
    pub fn because(mut self, why: impl std::fmt::Display) -> Self {
        let reason = Some(reason(why));
        match &mut self {
            Self::Route(decision) => decision.reason = reason,
            Self::Run(plan) => plan.reason = reason,
            Self::Finish(finished) => finished.reason = reason,
        }
        self
    }
}

/// An answer that needs no further task.
pub fn finish(parts: impl IntoIterator<Item = Part>, label: impl Into<String>) -> Step {
    Step::Finish(Finished { content: parts.into_iter().collect(), label: label.into(), reason: None })
}

/// The state that a plan gave along.
pub fn state<S: DeserializeOwned>(bytes: &[u8]) -> Result<S, Refusal> {
    serde_json::from_slice(bytes)
        .map_err(|error| Refusal::Internal(format!("the plan's state cannot be read: {error}")))
}

/// The candidates that can be called for an operation (`chat`, `transcription`,
/// `embedding`) with these kinds of content: healthy ones first, else in their order.
pub fn able(candidates: &[Candidate], operation: &str, kinds: Modalities) -> Vec<usize> {
    let able = |&index: &usize| {
        candidates[index].inputs.contains(kinds)
            && details::candidate_operations(index).iter().any(|name| name == operation)
    };
    let mut indices: Vec<usize> = (0..candidates.len()).filter(able).collect();
    indices.sort_by_key(|&index| !candidates[index].healthy);
    indices
}

/// Whether the request is too long for every model that accepts its content and has its
/// abilities. Then nothing is gained by a plan in which a task gets the whole conversation.
pub fn is_too_long(request: &Request, candidates: &[Candidate]) -> bool {
    let accepts = |&index: &usize| candidates[index].abilities.contains(request.needs);
    // The context window is the only other reason why a candidate cannot serve a request whole.
    outline::whole() == 0 && able(candidates, &request.operation, request.inputs).iter().any(accepts)
}

#[cfg(test)]
mod tests;
