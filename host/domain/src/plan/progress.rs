use std::collections::BTreeSet;

use super::Plan;

/// Which tasks of a plan may begin, while it is run.
///
/// A state machine without input or output: the caller runs the tasks and tells
/// when one has ended. Each task is handed out once, when all that it waits for
/// have ended; which of several comes first does not depend on timing.
#[derive(Clone, Debug)]
pub struct PlanProgress {
    first: usize,
    /// For each task, how many of those it waits for have not ended.
    waits: Vec<usize>,
    /// For each task, those that wait for it.
    followers: Vec<Vec<usize>>,
    /// What may begin, by place in the plan.
    ready: BTreeSet<usize>,
    running: usize,
    ended: usize,
    parallel: usize,
}

impl PlanProgress {
    /// At the beginning of a plan, of which at most so many tasks run at once.
    pub fn new(plan: &Plan, parallel: usize) -> Self {
        let first = plan.first();
        let mut followers = vec![Vec::new(); plan.tasks().len()];
        let mut waits = Vec::with_capacity(plan.tasks().len());
        for (at, task) in plan.tasks().iter().enumerate() {
            let before: BTreeSet<usize> = task.after.iter().map(|number| number - first).collect();
            waits.push(before.len());
            for ancestor in before {
                if let Some(followers) = followers.get_mut(ancestor) {
                    followers.push(at);
                }
            }
        }
        let ready = waits.iter().enumerate().filter(|(_, waits)| **waits == 0).map(|(at, _)| at).collect();
        Self { first, waits, followers, ready, running: 0, ended: 0, parallel: parallel.max(1) }
    }

    /// The number of a task that is to begin now. `None` while nothing can begin
    /// before a running task ends, and when all have ended.
    pub fn begin(&mut self) -> Option<usize> {
        if self.running >= self.parallel {
            return None;
        }
        let at = self.ready.pop_first()?;
        self.running += 1;
        Some(self.first + at)
    }

    /// A task that was begun has ended, one way or the other.
    pub fn ended(&mut self, number: usize) {
        let Some(followers) = number.checked_sub(self.first).and_then(|at| self.followers.get_mut(at)) else {
            return;
        };
        self.running -= 1;
        self.ended += 1;
        for follower in std::mem::take(followers) {
            self.waits[follower] -= 1;
            if self.waits[follower] == 0 {
                self.ready.insert(follower);
            }
        }
    }

    /// Whether all tasks have ended.
    pub fn is_over(&self) -> bool {
        self.ended == self.waits.len()
    }
}
