//! Whether tasks wait for one another in a way that can be run.

use super::{InvalidPlan, Next, Plan, PlanLimits, TaskFault, outputs_of, uses};

/// Checks that dependencies are in the plan and lead round in no circle, that
/// not too many wait for one another, and that what is used is there by then.
pub(super) fn check(plan: &Plan, limits: &PlanLimits) -> Result<(), InvalidPlan> {
    let graph = Graph { plan };
    for at in 0..plan.tasks.len() {
        graph.check_names(at).map_err(|fault| graph.fault(at, fault))?;
    }
    let order = graph.order()?;
    let mut ancestors = vec![vec![false; plan.tasks.len()]; plan.tasks.len()];
    let mut depth = vec![1_usize; plan.tasks.len()];
    for at in order {
        for before in graph.before(at) {
            depth[at] = depth[at].max(depth[before] + 1);
            let of_before = ancestors[before].clone();
            for (mine, theirs) in ancestors[at].iter_mut().zip(of_before) {
                *mine |= theirs;
            }
            ancestors[at][before] = true;
        }
        if depth[at] > limits.depth {
            let fault = TaskFault::TooDeep { depth: depth[at], limit: limits.depth };
            return Err(graph.fault(at, fault));
        }
        for output in uses(&plan.tasks[at]) {
            let known = match output.task.checked_sub(plan.first) {
                None => true,
                Some(used) => ancestors[at].get(used) == Some(&true),
            };
            if !known {
                return Err(graph.fault(at, TaskFault::NotAnAncestor(output.task)));
            }
        }
    }
    Ok(())
}

/// Checks that every task leads to the answer: what does not is paid for in vain.
pub(super) fn check_use(plan: &Plan) -> Result<(), InvalidPlan> {
    let graph = Graph { plan };
    let mut leads = vec![false; plan.tasks.len()];
    let mut next: Vec<usize> = match &plan.next {
        Next::Answer(task) => vec![task - plan.first],
        Next::Compose(parts) => {
            outputs_of(parts).filter_map(|output| output.task.checked_sub(plan.first)).collect()
        }
        Next::Resume(_) => return Ok(()),
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
    /// The places of the tasks that one waits for. Only for checked names.
    fn before(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        self.plan.tasks[at].after.iter().map(|number| number - self.plan.first)
    }

    fn check_names(&self, at: usize) -> Result<(), TaskFault> {
        let range = self.plan.first..self.plan.first + self.plan.tasks.len();
        for &number in &self.plan.tasks[at].after {
            if !range.contains(&number) {
                return Err(TaskFault::UnknownDependency(number));
            }
            if number == self.plan.first + at {
                return Err(TaskFault::SelfDependency);
            }
        }
        Ok(())
    }

    /// The tasks in an order in which each comes after those that it waits for.
    fn order(&self) -> Result<Vec<usize>, InvalidPlan> {
        let mut order = Vec::with_capacity(self.plan.tasks.len());
        let mut placed = vec![false; self.plan.tasks.len()];
        loop {
            let before = order.len();
            for at in 0..placed.len() {
                if !placed[at] && self.before(at).all(|it| placed[it]) {
                    placed[at] = true;
                    order.push(at);
                }
            }
            if order.len() == placed.len() {
                return Ok(order);
            }
            if order.len() == before {
                return Err(self.cycle(&placed));
            }
        }
    }

    /// The circle among tasks that cannot be placed: going back from one of them
    /// to another that it waits for comes round in the end.
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
