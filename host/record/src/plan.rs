//! The execution of a plan, in a decision record.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use pointsman_domain::history::{ModelCall, PlanRun, TaskRun};
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::Outcome;
use pointsman_domain::plan::PlanLimits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::ms;

/// The execution of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanRecord<'a> {
    /// Number of times that the policy was called.
    pub steps: usize,
    /// Numbers of the tasks that determined the duration.
    pub critical_path: Vec<usize>,
    /// Duration of those tasks together.
    pub critical_path_ms: f64,
    /// Limits of the route for all steps together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<PlanLimitsRecord>,
    /// Tasks of all steps, by number.
    pub tasks: Vec<TaskRecord<'a>>,
}

/// Limits of a plan: no policy can exceed them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanLimitsRecord {
    /// Most tasks of one request.
    pub tasks: usize,
    /// Most calls of the policy for one request.
    pub steps: usize,
    /// Most tasks that run at the same time.
    pub parallel: usize,
    /// Most tasks that wait for one another in a row.
    pub depth: usize,
    /// Most output tokens of all calls.
    pub output_tokens: u32,
    /// Most estimated input tokens of all calls.
    pub input_tokens: u64,
    /// Most bytes of composed inputs and answers.
    pub assembled_bytes: u64,
    /// Most US dollars for all calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

/// The execution of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskRecord<'a> {
    /// Number, counted through all steps.
    pub number: usize,
    /// Name.
    pub name: Cow<'a, str>,
    /// Operation that its model is called for.
    pub operation: Cow<'a, str>,
    /// Step that planned it, counted from 1.
    pub step: usize,
    /// Numbers of the tasks that it waits for.
    pub after: Cow<'a, [usize]>,
    /// `done`, `failed`, `cancelled`, `skipped` if it never started, or `planned` in a dry run.
    pub status: Cow<'a, str>,
    /// Model that gave its output; in a dry run the first target.
    pub model: Option<Cow<'a, str>>,
    /// Number of calls.
    pub attempts: usize,
    /// Start.
    pub begun_ms: Option<f64>,
    /// End.
    pub ended_ms: Option<f64>,
    /// Input tokens of its calls.
    pub input_tokens: u64,
    /// Output tokens of its calls.
    pub output_tokens: u64,
    /// Cost of its calls in US dollars.
    pub cost_usd: f64,
    /// Bytes of the output that later tasks and the policy could use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<usize>,
    /// Error.
    pub error: Option<Cow<'a, str>>,
}

impl<'a> PlanRecord<'a> {
    /// Creates the record of a plan from all calls of its request. Without an outcome the plan
    /// was only proposed, as in a dry run.
    pub fn new(run: &'a PlanRun, all_calls: &[ModelCall], outcome: Option<&'a Outcome>) -> Self {
        let latency = outcome.map_or(Duration::ZERO, |outcome| outcome.latency);
        let (path, time) = run.critical_path(latency);
        let mut calls: HashMap<usize, Vec<&ModelCall>> = HashMap::new();
        for call in all_calls {
            if let Some(task) = call.task {
                calls.entry(task).or_default().push(call);
            }
        }
        let task = |(number, task): (usize, &'a TaskRun)| {
            let calls = calls.get(&number).map(Vec::as_slice).unwrap_or_default();
            TaskRecord::new(number, task, calls, outcome)
        };
        Self {
            steps: run.steps,
            critical_path: path,
            critical_path_ms: ms(time),
            limits: Some(PlanLimitsRecord::new(&run.limits)),
            tasks: run.tasks.iter().enumerate().map(task).collect(),
        }
    }
}

impl PlanLimitsRecord {
    fn new(limits: &PlanLimits) -> Self {
        Self {
            tasks: limits.tasks,
            steps: limits.steps,
            parallel: limits.parallel,
            depth: limits.depth,
            output_tokens: limits.output_tokens,
            input_tokens: limits.input_tokens,
            assembled_bytes: limits.assembled_bytes,
            cost_usd: limits.cost.map(Picodollars::usd),
        }
    }
}

impl<'a> TaskRecord<'a> {
    fn new(number: usize, run: &'a TaskRun, calls: &[&ModelCall], outcome: Option<&'a Outcome>) -> Self {
        let (end, error) = run.end(outcome);
        let latency = outcome.map(|outcome| outcome.latency);
        let tokens = |count: fn(&ModelCall) -> u64| calls.iter().map(|call| count(call)).sum();
        Self {
            number,
            name: run.name.as_str().into(),
            operation: run.operation.name().into(),
            step: run.step,
            after: Cow::Borrowed(&run.after),
            status: end.as_str().into(),
            model: run.model.as_deref().map(Cow::Borrowed),
            attempts: calls.len(),
            begun_ms: run.begun.map(ms),
            ended_ms: run.begun.and_then(|_| run.ended.or(latency)).map(ms),
            input_tokens: tokens(|call| call.usage.input_tokens),
            output_tokens: tokens(|call| call.usage.output_tokens),
            cost_usd: calls.iter().map(|call| call.cost()).sum::<Picodollars>().usd(),
            output_bytes: run.output_bytes,
            error: error.map(Cow::Borrowed),
        }
    }
}
