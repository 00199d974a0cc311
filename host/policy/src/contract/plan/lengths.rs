//! Limits on the lengths of the lists in a plan.
//!
//! A policy's result is at most a few megabytes when it has been copied out of the sandbox, but
//! converting and validating it costs the gateway many times that. So lists longer than any valid
//! plan has are refused by their length alone.

use pointsman_domain::plan::{InvalidPlan, PlanScope};

use super::{Finished, Input, Next, Plan, Task};

/// Inputs of tasks, parts of messages and parts of the answer, all together.
const MAX_PARTS: usize = 8_192;
/// Options of one task. The contract defines fewer.
const MAX_OPTIONS: usize = 16;

impl Plan {
    /// Refuses a plan with a list that is too long. Checks the length of each list before it
    /// iterates over it.
    pub(crate) fn check_lengths(&self, scope: &PlanScope<'_>) -> Result<(), InvalidPlan> {
        let (tasks, limit) = (self.tasks.len(), scope.limits.tasks);
        let total = scope.first + tasks;
        if total > limit {
            return Err(InvalidPlan::TooManyTasks { tasks, total, limit });
        }
        let mut parts = PartCount::default();
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
    /// Refuses an answer with too many parts.
    pub(crate) fn check_lengths(&self) -> Result<(), InvalidPlan> {
        PartCount::default().add(self.content.len())
    }
}

/// Number of inputs and parts so far.
#[derive(Default)]
struct PartCount(usize);

impl PartCount {
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
