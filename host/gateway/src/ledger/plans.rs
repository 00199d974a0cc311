//! How plans went: notes while one is run, and the traces of the last ones.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pointsman_domain::outcome::{Ending, Outcome};
use pointsman_domain::plan::{Span, critical_path};
use serde::Serialize;

use super::calls::Calls;
use crate::clock::unix_seconds;

/// Traces that are kept, the newest.
const KEPT: usize = 1_000;

/// What is noted while a plan is run. Times are those since the request's arrival.
#[derive(Debug, Default)]
pub(crate) struct PlanNotes {
    /// The policy that made it, with its version.
    pub(crate) policy: String,
    /// Why, in the policy's words.
    pub(crate) reason: Option<String>,
    /// Times that the policy was asked.
    pub(crate) steps: usize,
    /// All tasks of all steps, by number.
    pub(crate) tasks: Vec<TaskNote>,
}

/// What is noted of a task.
#[derive(Debug)]
pub(crate) struct TaskNote {
    /// Its name.
    pub(crate) name: String,
    /// What its model is called for.
    pub(crate) operation: &'static str,
    /// In which step it was planned, counted from 1.
    pub(crate) step: usize,
    /// The tasks that it waits for, by number.
    pub(crate) after: Vec<usize>,
    /// When it began.
    pub(crate) begun: Option<Duration>,
    /// When it ended. Missing while it is under way: its end is that of the request.
    pub(crate) ended: Option<Duration>,
    /// Who gave its output.
    pub(crate) model: Option<String>,
    /// What went wrong.
    pub(crate) error: Option<String>,
}

/// How a plan went.
#[derive(Debug, Serialize)]
pub(crate) struct PlanTrace {
    /// The decision's id.
    pub(crate) id: String,
    /// When the request ended, in seconds since 1970.
    pub(crate) at: u64,
    pub(crate) route: String,
    pub(crate) policy: String,
    pub(crate) label: String,
    pub(crate) reason: Option<String>,
    /// `answered`, `failed` or `cancelled`.
    pub(crate) ending: &'static str,
    pub(crate) error: Option<String>,
    pub(crate) steps: usize,
    pub(crate) latency_ms: f64,
    /// The tasks that decided how long it took, by number.
    pub(crate) critical_path: Vec<usize>,
    /// The time that those took together.
    pub(crate) critical_path_ms: f64,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    pub(crate) cost_usd: f64,
    pub(crate) tasks: Vec<TaskTrace>,
}

/// How a task went. Times are those since the request's arrival.
#[derive(Debug, Serialize)]
pub(crate) struct TaskTrace {
    pub(crate) number: usize,
    pub(crate) name: String,
    pub(crate) operation: &'static str,
    pub(crate) step: usize,
    pub(crate) after: Vec<usize>,
    /// `done`, `failed`, `cancelled`, or `skipped` when it never began.
    pub(crate) status: &'static str,
    pub(crate) model: Option<String>,
    pub(crate) attempts: usize,
    pub(crate) begun_ms: Option<f64>,
    pub(crate) ended_ms: Option<f64>,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    pub(crate) cost_usd: f64,
    pub(crate) error: Option<String>,
}

/// The traces of the last plans, by the decision's id.
#[derive(Debug, Default)]
pub(crate) struct PlanTraces(Mutex<VecDeque<Arc<PlanTrace>>>);

impl PlanTraces {
    pub(super) fn keep(&self, trace: PlanTrace) {
        let mut traces = self.traces();
        if traces.len() == KEPT {
            traces.pop_front();
        }
        traces.push_back(Arc::new(trace));
    }

    /// The trace of a decision, if it is still kept.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<PlanTrace>> {
        self.traces().iter().rev().find(|trace| trace.id == id).cloned()
    }

    /// The newest traces, newest first.
    pub(crate) fn newest(&self, count: usize) -> Vec<Arc<PlanTrace>> {
        self.traces().iter().rev().take(count).cloned().collect()
    }

    fn traces(&self) -> MutexGuard<'_, VecDeque<Arc<PlanTrace>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PlanNotes {
    pub(super) fn trace(self, route: &str, outcome: &Outcome, calls: &Calls) -> PlanTrace {
        let spans = self.spans(outcome.latency);
        let path = critical_path(&spans.iter().map(|(_, span)| span.clone()).collect::<Vec<_>>());
        let on_path = path.iter().filter_map(|&at| spans.get(at));
        let time = on_path.clone().map(|(_, span)| span.ended.saturating_sub(span.begun)).sum();
        PlanTrace {
            id: outcome.id.clone(),
            at: unix_seconds(),
            route: route.to_owned(),
            label: outcome.label.clone(),
            ending: match outcome.ending {
                Ending::Answered => "answered",
                Ending::Failed => "failed",
                Ending::Cancelled => "cancelled",
            },
            error: outcome.error.clone(),
            latency_ms: ms(outcome.latency),
            critical_path: on_path.map(|(number, _)| *number).collect(),
            critical_path_ms: ms(time),
            input_tokens: outcome.usage.input_tokens,
            output_tokens: outcome.usage.output_tokens,
            cost_usd: outcome.cost.usd(),
            policy: self.policy,
            reason: self.reason,
            steps: self.steps,
            tasks: self
                .tasks
                .into_iter()
                .enumerate()
                .map(|(number, task)| task.trace(number, outcome, calls))
                .collect(),
        }
    }

    /// When the tasks that began were under way, with their numbers.
    fn spans(&self, latency: Duration) -> Vec<(usize, Span)> {
        let numbered = self.tasks.iter().enumerate();
        let begun: Vec<(usize, &TaskNote, Duration)> =
            numbered.filter_map(|(number, task)| Some((number, task, task.begun?))).collect();
        let place = |number: usize| begun.iter().position(|(other, ..)| *other == number);
        let span = |&(number, task, begun): &(usize, &TaskNote, Duration)| {
            let after = task.after.iter().filter_map(|&before| place(before)).collect();
            (number, Span { begun, ended: task.ended.unwrap_or(latency), after })
        };
        begun.iter().map(span).collect()
    }
}

impl TaskNote {
    fn trace(self, number: usize, outcome: &Outcome, calls: &Calls) -> TaskTrace {
        let (usage, cost, attempts) = calls.of_task(number);
        let (status, error) = self.end(outcome);
        TaskTrace {
            number,
            status,
            error,
            begun_ms: self.begun.map(ms),
            ended_ms: self.begun.map(|_| ms(self.ended.unwrap_or(outcome.latency))),
            name: self.name,
            operation: self.operation,
            step: self.step,
            after: self.after,
            model: self.model,
            attempts,
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cost_usd: cost.usd(),
        }
    }

    fn end(&self, outcome: &Outcome) -> (&'static str, Option<String>) {
        match (&self.error, self.begun, self.ended) {
            (Some(error), ..) => ("failed", Some(error.clone())),
            (None, None, _) => ("skipped", None),
            (None, Some(_), Some(_)) => ("done", None),
            // Only the task that was answering the client has a model already, and
            // its end is that of the request.
            (None, Some(_), None) if self.model.is_some() => match outcome.ending {
                Ending::Answered => ("done", None),
                Ending::Failed => ("failed", outcome.error.clone()),
                Ending::Cancelled => ("cancelled", None),
            },
            (None, Some(_), None) => ("cancelled", None),
        }
    }
}

fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
