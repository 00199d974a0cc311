//! How a plan went, in a decision record.

use std::collections::HashMap;
use std::time::Duration;

use pointsman_domain::history::{ModelCall, PlanRun, TaskRun};
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::Outcome;
use schemars::JsonSchema;
use serde::Serialize;

use super::ms;

/// How a plan went.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Plan<'a> {
    /// Times that the policy was asked.
    pub steps: usize,
    /// The tasks that decided how long it took, by number.
    pub critical_path: Vec<usize>,
    /// The time that those took together.
    pub critical_path_ms: f64,
    /// All tasks of all steps, by number.
    pub tasks: Vec<Task<'a>>,
}

/// How a task went.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Task<'a> {
    /// Its number, counted through all steps.
    pub number: usize,
    /// Its name.
    pub name: &'a str,
    /// What its model was called for.
    pub operation: &'static str,
    /// In which step it was planned, counted from 1.
    pub step: usize,
    /// The tasks that it waited for, by number.
    pub after: &'a [usize],
    /// `done`, `failed`, `cancelled`, `skipped` when it never began, or `planned` in a dry run.
    pub status: &'static str,
    /// Who gave its output; in a dry run who would be asked first.
    pub model: Option<&'a str>,
    /// Calls that were made for it.
    pub attempts: usize,
    /// When it began.
    pub begun_ms: Option<f64>,
    /// When it ended.
    pub ended_ms: Option<f64>,
    /// Tokens of its calls' inputs.
    pub input_tokens: u64,
    /// Tokens of its calls' answers.
    pub output_tokens: u64,
    /// What its calls cost.
    pub cost_usd: f64,
    /// What went wrong.
    pub error: Option<&'a str>,
}

impl<'a> Plan<'a> {
    /// Of a request that was cut into tasks; without an outcome nothing was done about it.
    pub fn of(run: &'a PlanRun, calls_made: &[ModelCall], outcome: Option<&'a Outcome>) -> Self {
        let latency = outcome.map_or(Duration::ZERO, |outcome| outcome.latency);
        let (path, time) = run.critical_path(latency);
        let mut calls: HashMap<usize, Vec<&ModelCall>> = HashMap::new();
        for call in calls_made {
            if let Some(task) = call.task {
                calls.entry(task).or_default().push(call);
            }
        }
        let task = |(number, task): (usize, &'a TaskRun)| {
            let calls = calls.get(&number).map(Vec::as_slice).unwrap_or_default();
            Task::of(number, task, calls, outcome)
        };
        Self {
            steps: run.steps,
            critical_path: path,
            critical_path_ms: ms(time),
            tasks: run.tasks.iter().enumerate().map(task).collect(),
        }
    }
}

impl<'a> Task<'a> {
    fn of(number: usize, run: &'a TaskRun, calls: &[&ModelCall], outcome: Option<&'a Outcome>) -> Self {
        let (end, error) = run.end(outcome);
        let latency = outcome.map(|outcome| outcome.latency);
        let tokens = |count: fn(&ModelCall) -> u64| calls.iter().map(|call| count(call)).sum();
        Self {
            number,
            name: &run.name,
            operation: run.operation.name(),
            step: run.step,
            after: &run.after,
            status: end.as_str(),
            model: run.model.as_deref(),
            attempts: calls.len(),
            begun_ms: run.begun.map(ms),
            ended_ms: run.begun.and_then(|_| run.ended.or(latency)).map(ms),
            input_tokens: tokens(|call| call.usage.input_tokens),
            output_tokens: tokens(|call| call.usage.output_tokens),
            cost_usd: calls.iter().map(|call| call.cost()).sum::<Picodollars>().usd(),
            error,
        }
    }
}
