//! The rules of the contract that the gateway checks.

use crate::plan::{Next, Part, PlanRecord, Task};
use crate::{Decision, Target};

/// Returns the first rule of the contract that a decision breaks.
pub(super) fn broken_rule(decision: &Decision, candidates: usize) -> Option<&'static str> {
    if let Some(rule) = broken_target_rule(&decision.targets, candidates) {
        return Some(rule);
    }
    if let Some(rule) = broken_text_rule(&decision.label, decision.reason.as_deref()) {
        return Some(rule);
    }
    let likely = |propensity: f64| propensity > 0.0 && propensity <= 1.0;
    if !decision.propensity.is_none_or(likely) {
        return Some("a propensity is in (0, 1]");
    }
    None
}

fn broken_target_rule(targets: &[Target], candidates: usize) -> Option<&'static str> {
    let mut seen = vec![false; candidates];
    if targets.is_empty() {
        return Some("there is at least one target");
    }
    for target in targets {
        match seen.get_mut(target.candidate as usize) {
            None => return Some("a target is an index into the candidates"),
            Some(true) => return Some("a candidate is a target at most once"),
            Some(first) => *first = true,
        }
    }
    None
}

/// Returns the rule that a label or a reason breaks.
pub(super) fn broken_text_rule(label: &str, reason: Option<&str>) -> Option<&'static str> {
    if !is_label(label) {
        return Some("a label is 1 to 64 characters of a-z A-Z 0-9 . _ : / -");
    }
    let reason = reason.unwrap_or_default();
    if reason.len() > 512 || reason.chars().any(char::is_control) {
        return Some("a reason is at most 512 bytes without control characters");
    }
    None
}

fn is_label(label: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
    (1..=64).contains(&label.len()) && label.bytes().all(allowed)
}

/// Returns the first rule of the contract that a plan breaks.
pub(super) fn broken_plan_rule(plan: &PlanRecord, first: u32, candidates: usize) -> Option<String> {
    if let Some(rule) = broken_text_rule(&plan.label, plan.reason.as_deref()) {
        return Some(rule.to_owned());
    }
    if plan.tasks.is_empty() {
        return Some("a plan has at least one task".to_owned());
    }
    let before: Vec<Vec<u32>> = (0..plan.tasks.len()).map(|at| ancestors(plan, first, at)).collect();
    for (at, task) in plan.tasks.iter().enumerate() {
        let rule = |what: &str| Some(format!("task `{}`: {what}", task.name));
        if !is_label(&task.name) {
            return rule("a name is as a label");
        }
        if let Some(broken) = broken_target_rule(&task.targets, candidates) {
            return rule(broken);
        }
        if task.input.is_empty() {
            return rule("a task has some input");
        }
        if before[at].contains(&(first + at as u32)) {
            return rule("a task does not wait for itself");
        }
        if task.after.iter().any(|&it| it < first || it >= first + plan.tasks.len() as u32) {
            return rule("a task waits for tasks of its plan");
        }
        if task.after.iter().enumerate().any(|(at, number)| task.after[..at].contains(number)) {
            return rule("a task waits for another once");
        }
        if crate::plan::outputs_used(task).iter().any(|&used| used >= first && !before[at].contains(&used)) {
            return rule("a task uses outputs of tasks that it waits for");
        }
    }
    broken_end_rule(plan, first, &before)
}

/// Returns the rule that the plan's next step breaks: it may only use tasks that exist, and
/// every task must lead to it.
fn broken_end_rule(plan: &PlanRecord, first: u32, before: &[Vec<u32>]) -> Option<String> {
    let used: Vec<u32> = match &plan.next {
        Next::Resume(_) => return None,
        Next::Answer(task) => vec![*task],
        Next::Compose(parts) => parts
            .iter()
            .filter_map(|part| match part {
                Part::Output(output) => Some(output.task),
                Part::Text(_) | Part::Original(_) => None,
            })
            .collect(),
    };
    let end = first + plan.tasks.len() as u32;
    if used.iter().any(|&task| task >= end) {
        return Some("the answer uses a task that is not there".to_owned());
    }
    let leads = |number: u32| {
        used.contains(&number)
            || used
                .iter()
                .filter(|&&task| task >= first)
                .any(|&task| before[(task - first) as usize].contains(&number))
    };
    let idle = plan.tasks.iter().enumerate().find(|(at, _)| !leads(first + *at as u32));
    idle.map(|(_, task)| format!("task `{}`: every task leads to the answer", task.name))
}

/// Returns the tasks that must end before one starts.
fn ancestors(plan: &PlanRecord, first: u32, at: usize) -> Vec<u32> {
    let waits_for = |at: usize| plan.tasks.get(at).map_or(&[][..], |task: &Task| &task.after);
    let mut found = Vec::new();
    let mut next: Vec<u32> = waits_for(at).to_vec();
    while let Some(task) = next.pop() {
        if !found.contains(&task) {
            found.push(task);
            if let Some(at) = task.checked_sub(first) {
                next.extend(waits_for(at as usize));
            }
        }
    }
    found
}
