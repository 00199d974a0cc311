//! Validation of the dependencies between tasks.

use super::{Continuation, InvalidPlan, Plan, PlanLimits, TaskFault, outputs_of, uses};

/// Validates that dependencies are in the plan and form no cycle, that no chain is too long, and
/// that every output that is used exists by then.
pub(super) fn check(plan: &Plan, limits: &PlanLimits) -> Result<(), InvalidPlan> {
    let graph = Graph { plan };
    for at in 0..plan.tasks.len() {
        graph.check_names(at).map_err(|fault| graph.fault(at, fault))?;
    }
    let mut ancestors = Ancestors::none(plan.tasks.len());
    let mut depth = vec![1_usize; plan.tasks.len()];
    for at in graph.order()? {
        for before in graph.before(at) {
            depth[at] = depth[at].max(depth[before] + 1);
            ancestors.inherit(at, before);
        }
        if depth[at] > limits.depth {
            let fault = TaskFault::TooDeep { depth: depth[at], limit: limits.depth };
            return Err(graph.fault(at, fault));
        }
        for output in uses(&plan.tasks[at]) {
            let used = output.task.checked_sub(plan.first);
            // Outputs of earlier steps exist.
            if used.is_some_and(|used| !ancestors.contain(at, used)) {
                return Err(graph.fault(at, TaskFault::NotAnAncestor(output.task)));
            }
        }
    }
    Ok(())
}

/// Validates that every task contributes to the answer. Others would be paid for in vain.
pub(super) fn check_use(plan: &Plan) -> Result<(), InvalidPlan> {
    let graph = Graph { plan };
    let mut leads = vec![false; plan.tasks.len()];
    let mut next: Vec<usize> = match &plan.next {
        Continuation::Answer(task) => vec![task - plan.first],
        Continuation::Compose(parts) => {
            outputs_of(parts).filter_map(|output| output.task.checked_sub(plan.first)).collect()
        }
        Continuation::Resume(_) => return Ok(()),
    };
    while let Some(at) = next.pop() {
        if let Some(leads) = leads.get_mut(at)
            && !std::mem::replace(leads, true)
        {
            next.extend(graph.before(at));
        }
    }
    match leads.iter().position(|leads| !leads) {
        Some(idle) => Err(graph.fault(idle, TaskFault::Idle)),
        None => Ok(()),
    }
}

struct Graph<'a> {
    plan: &'a Plan,
}

impl Graph<'_> {
    /// Returns the indices of a task's dependencies. Requires validated numbers.
    fn before(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        self.plan.tasks[at].after.iter().map(|number| number - self.plan.first)
    }

    /// Validates the dependencies of a task. A list that is longer than the plan repeats a task or
    /// names an unknown one, so no more of it than that is walked.
    fn check_names(&self, at: usize) -> Result<(), TaskFault> {
        let mut named = vec![false; self.plan.tasks.len()];
        for &number in &self.plan.tasks[at].after {
            let named = number.checked_sub(self.plan.first).and_then(|before| named.get_mut(before));
            match named {
                None => return Err(TaskFault::UnknownDependency(number)),
                Some(_) if number == self.plan.first + at => return Err(TaskFault::SelfDependency),
                Some(true) => return Err(TaskFault::RepeatedDependency(number)),
                Some(first) => *first = true,
            }
        }
        Ok(())
    }

    /// Returns the tasks in topological order (A. B. Kahn, "Topological sorting of large networks",
    /// CACM 5, 1962). Requires validated numbers.
    fn order(&self) -> Result<Vec<usize>, InvalidPlan> {
        let tasks = self.plan.tasks.len();
        let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); tasks];
        for at in 0..tasks {
            self.before(at).for_each(|before| waiting[before].push(at));
        }
        let mut missing: Vec<usize> = self.plan.tasks.iter().map(|task| task.after.len()).collect();
        let mut order: Vec<usize> = (0..tasks).filter(|&at| missing[at] == 0).collect();
        let mut done = 0;
        while let Some(&at) = order.get(done) {
            done += 1;
            for &next in &waiting[at] {
                missing[next] -= 1;
                if missing[next] == 0 {
                    order.push(next);
                }
            }
        }
        if order.len() == tasks {
            return Ok(order);
        }
        let placed: Vec<bool> = missing.iter().map(|&missing| missing == 0).collect();
        Err(self.cycle(&placed))
    }

    /// Returns a cycle among the tasks that have no place in the order: following dependencies from
    /// one of them leads back to a task that was visited before.
    fn cycle(&self, placed: &[bool]) -> InvalidPlan {
        let mut path = Vec::new();
        let mut at = placed.iter().position(|placed| !placed).unwrap_or(0);
        while !path.contains(&at) {
            path.push(at);
            at = self.before(at).find(|&it| !placed[it]).unwrap_or(at);
        }
        let begin = path.iter().position(|&it| it == at).unwrap_or(0);
        let name = |&at: &usize| self.plan.tasks[at].name().to_owned();
        let mut names: Vec<String> = path[begin..].iter().map(name).collect();
        names.push(self.plan.tasks[at].name().to_owned());
        self.fault(at, TaskFault::Cycle(names))
    }

    fn fault(&self, at: usize, fault: TaskFault) -> InvalidPlan {
        InvalidPlan::Task { task: self.plan.tasks[at].name().to_owned(), fault }
    }
}

/// Set of ancestors of each task, as one bit for each task.
struct Ancestors {
    words: Vec<u64>,
    /// Number of words in one set.
    width: usize,
}

impl Ancestors {
    fn none(tasks: usize) -> Self {
        let width = tasks.div_ceil(64);
        Self { words: vec![0; tasks * width], width }
    }

    /// Adds a task and its ancestors to the ancestors of another.
    fn inherit(&mut self, at: usize, before: usize) {
        for word in 0..self.width {
            self.words[at * self.width + word] |= self.words[before * self.width + word];
        }
        self.words[at * self.width + before / 64] |= 1 << (before % 64);
    }

    /// Returns whether a task exists and is an ancestor of another.
    fn contain(&self, at: usize, task: usize) -> bool {
        let set = &self.words[at * self.width..][..self.width];
        set.get(task / 64).is_some_and(|word| word >> (task % 64) & 1 == 1)
    }
}
