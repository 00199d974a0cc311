//! Run of a plan, task by task.

use std::time::Duration;

use crate::model::Operation;
use crate::outcome::{Outcome, RequestEnd};
use crate::plan::{PlanLimits, TaskSpan, critical_path};

/// Run of a plan. Times are relative to the request's arrival.
#[derive(Clone, Debug, Default)]
pub struct PlanRun {
    /// Number of decisions of the policy.
    pub steps: usize,
    /// Limits of the route for all steps together.
    pub limits: PlanLimits,
    /// Tasks of all steps, by number.
    pub tasks: Vec<TaskRun>,
}

/// Run of a task.
#[derive(Clone, Debug)]
pub struct TaskRun {
    /// Name of the task.
    pub name: String,
    /// Operation of its calls.
    pub operation: Operation,
    /// Step in which it was planned, counted from 1.
    pub step: usize,
    /// Numbers of the tasks that it waits for.
    pub after: Vec<usize>,
    /// Start, if it was started.
    pub begun: Option<Duration>,
    /// End; `None` while it is running, which then ends with the request.
    pub ended: Option<Duration>,
    /// Model that produced its output.
    pub model: Option<String>,
    /// Bytes of the output that it gave to the plan.
    pub output_bytes: Option<usize>,
    /// Error message.
    pub error: Option<String>,
}

/// End of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskEnd {
    /// It produced an output.
    Done,
    /// It failed.
    Failed,
    /// It was running when the request ended.
    Cancelled,
    /// It was never started.
    Skipped,
    /// The plan was not run.
    Planned,
}

impl TaskEnd {
    /// Every end, in the order of the variants.
    pub const ALL: [Self; 5] = [Self::Done, Self::Failed, Self::Cancelled, Self::Skipped, Self::Planned];

    /// Returns the name in records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::Planned => "planned",
        }
    }
}

impl PlanRun {
    /// Returns the numbers of the tasks that determined the duration of a plan, and their total
    /// duration.
    pub fn critical_path(&self, latency: Duration) -> (Vec<usize>, Duration) {
        let spans = self.spans(latency);
        let path = critical_path(&spans.iter().map(|(_, span)| span.clone()).collect::<Vec<_>>());
        let on_path = path.iter().filter_map(|&at| spans.get(at));
        let time = on_path.clone().map(|(_, span)| span.ended.saturating_sub(span.begun)).sum();
        (on_path.map(|(number, _)| *number).collect(), time)
    }

    /// Returns the time spans of the tasks that were started, with their numbers.
    fn spans(&self, latency: Duration) -> Vec<(usize, TaskSpan)> {
        let numbered = self.tasks.iter().enumerate();
        let begun: Vec<(usize, &TaskRun, Duration)> =
            numbered.filter_map(|(number, task)| Some((number, task, task.begun?))).collect();
        let place = |number: usize| begun.iter().position(|(other, ..)| *other == number);
        let span = |&(number, task, begun): &(usize, &TaskRun, Duration)| {
            let after = task.after.iter().filter_map(|&before| place(before)).collect();
            (number, TaskSpan { begun, ended: task.ended.unwrap_or(latency), after })
        };
        begun.iter().map(span).collect()
    }
}

impl TaskRun {
    /// Returns the end of the task and its error. Without an outcome the plan was not run.
    pub fn end<'a>(&'a self, outcome: Option<&'a Outcome>) -> (TaskEnd, Option<&'a str>) {
        let Some(outcome) = outcome else { return (TaskEnd::Planned, None) };
        match (&self.error, self.begun, self.ended) {
            (Some(error), ..) => (TaskEnd::Failed, Some(error)),
            (None, None, _) => (TaskEnd::Skipped, None),
            (None, Some(_), Some(_)) => (TaskEnd::Done, None),
            // Only the task that was answering the client has a model already, and it ends with the
            // request.
            (None, Some(_), None) if self.model.is_some() => match outcome.ending {
                RequestEnd::Answered => (TaskEnd::Done, None),
                RequestEnd::Failed => (TaskEnd::Failed, outcome.error.as_deref()),
                RequestEnd::Cancelled => (TaskEnd::Cancelled, None),
            },
            (None, Some(_), None) => (TaskEnd::Cancelled, None),
        }
    }
}
