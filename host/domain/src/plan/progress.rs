use std::collections::BTreeSet;

use super::Plan;

/// Scheduler of the tasks of a running plan.
///
/// A state machine without I/O: the caller runs the tasks and reports when one has ended. Each task
/// is returned once, when all its dependencies have ended. The order of tasks that can start at the
/// same time does not depend on timing.
#[derive(Clone, Debug)]
pub struct PlanProgress {
    first: usize,
    /// Number of dependencies of each task that have not ended.
    waits: Vec<usize>,
    /// Dependents of each task.
    followers: Vec<Vec<usize>>,
    /// Tasks that can start, by index.
    ready: BTreeSet<usize>,
    running: usize,
    ended: usize,
    parallel: usize,
}

impl PlanProgress {
    /// Starts a plan, with a limit on the tasks that run concurrently.
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

    /// Returns the number of the next task to start. `None` if none can start until a running task
    /// ends, or if all have ended.
    pub fn begin(&mut self) -> Option<usize> {
        if self.running >= self.parallel {
            return None;
        }
        let at = self.ready.pop_first()?;
        self.running += 1;
        Some(self.first + at)
    }

    /// Records that a started task has ended, with or without success.
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

    /// Returns whether all tasks have ended.
    pub fn is_over(&self) -> bool {
        self.ended == self.waits.len()
    }
}
