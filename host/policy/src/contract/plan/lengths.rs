//! Limits on the lengths of the lists of a plan.
//!
//! The answer of a policy has been copied out of its memory, a few megabytes at most.
//! Converting and checking it costs the gateway many times that, so a list that no
//! valid plan has is refused by its length alone.

use pointsman_domain::plan::{InvalidPlan, PlanScope};

use super::{Finished, Input, Next, Plan, Task};

/// Inputs of tasks, parts of messages and parts of the answer, all together.
const MAX_PARTS: usize = 8_192;
/// Options of one task; fewer are known.
const MAX_OPTIONS: usize = 16;

impl Plan {
    /// Refuses a plan with a list that is too long. Walks no list before its length
    /// was checked.
    pub(crate) fn check_lengths(&self, scope: &PlanScope<'_>) -> Result<(), InvalidPlan> {
        let (tasks, limit) = (self.tasks.len(), scope.limits.tasks);
        let total = scope.first + tasks;
        if total > limit {
            return Err(InvalidPlan::TooManyTasks { tasks, total, limit });
        }
        let mut parts = Parts::default();
        for task in &self.tasks {
            check("dependencies of one task", task.after.len(), tasks)?;
            check("targets of one task", task.targets.len(), scope.candidates.len())?;
            check("options of one task", task.options.len(), MAX_OPTIONS)?;
            parts.add_inputs(task)?;
        }
        match &self.next {
            Next::Compose(answer) => parts.add(answer.len()),
            Next::Answer(_) | Next::Resume(_) => Ok(()),
        }
    }
}

impl Finished {
    /// Refuses an answer of too many parts.
    pub(crate) fn check_lengths(&self) -> Result<(), InvalidPlan> {
        Parts::default().add(self.content.len())
    }
}

/// Inputs and parts counted so far.
#[derive(Default)]
struct Parts(usize);

impl Parts {
    fn add(&mut self, more: usize) -> Result<(), InvalidPlan> {
        self.0 = self.0.saturating_add(more);
        check("inputs and parts", self.0, MAX_PARTS)
    }

    fn add_inputs(&mut self, task: &Task) -> Result<(), InvalidPlan> {
        self.add(task.input.len())?;
        task.input.iter().try_for_each(|input| match input {
            Input::Message(message) => self.add(message.content.len()),
            Input::Conversation(_) => Ok(()),
        })
    }
}

fn check(what: &'static str, length: usize, limit: usize) -> Result<(), InvalidPlan> {
    if length > limit { Err(InvalidPlan::TooLong { what, length, limit }) } else { Ok(()) }
}
