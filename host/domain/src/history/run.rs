//! How a plan went, task by task.

use std::time::Duration;

use crate::model::Operation;
use crate::outcome::{Outcome, RequestEnd};
use crate::plan::{TaskSpan, critical_path};

/// How a plan went. Times are those since the request's arrival.
#[derive(Clone, Debug, Default)]
pub struct PlanRun {
    /// Times that the policy was asked.
    pub steps: usize,
    /// All tasks of all steps, by number.
    pub tasks: Vec<TaskRun>,
}

/// How a task went.
#[derive(Clone, Debug)]
pub struct TaskRun {
    /// Its name.
    pub name: String,
    /// What its model is called for.
    pub operation: Operation,
    /// In which step it was planned, counted from 1.
    pub step: usize,
    /// The tasks that it waits for, by number.
    pub after: Vec<usize>,
    /// When it began, if it did.
    pub begun: Option<Duration>,
    /// When it ended. Missing while it is under way: its end is that of the request.
    pub ended: Option<Duration>,
    /// Who gave its output.
    pub model: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskEnd {
    /// It gave an output.
    Done,
    /// It gave none.
    Failed,
    /// It was under way when the request ended.
    Cancelled,
    /// It never began.
    Skipped,
    /// Nothing was done about the plan.
    Planned,
}

impl TaskEnd {
    /// Every end, in the order of the variants.
    pub const ALL: [Self; 5] = [Self::Done, Self::Failed, Self::Cancelled, Self::Skipped, Self::Planned];

    /// The word for it.
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
    /// The tasks that decided how long a plan took, by number, and the time that
    /// they took together.
    pub fn critical_path(&self, latency: Duration) -> (Vec<usize>, Duration) {
        let spans = self.spans(latency);
        let path = critical_path(&spans.iter().map(|(_, span)| span.clone()).collect::<Vec<_>>());
        let on_path = path.iter().filter_map(|&at| spans.get(at));
        let time = on_path.clone().map(|(_, span)| span.ended.saturating_sub(span.begun)).sum();
        (on_path.map(|(number, _)| *number).collect(), time)
    }

    /// When the tasks that began were under way, with their numbers.
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
    /// How it ended, and what went wrong, if the request was worked on.
    pub fn end<'a>(&'a self, outcome: Option<&'a Outcome>) -> (TaskEnd, Option<&'a str>) {
        let Some(outcome) = outcome else { return (TaskEnd::Planned, None) };
        match (&self.error, self.begun, self.ended) {
            (Some(error), ..) => (TaskEnd::Failed, Some(error)),
            (None, None, _) => (TaskEnd::Skipped, None),
            (None, Some(_), Some(_)) => (TaskEnd::Done, None),
            // Only the task that was answering the client has a model already, and
            // its end is that of the request.
            (None, Some(_), None) if self.model.is_some() => match outcome.ending {
                RequestEnd::Answered => (TaskEnd::Done, None),
                RequestEnd::Failed => (TaskEnd::Failed, outcome.error.as_deref()),
                RequestEnd::Cancelled => (TaskEnd::Cancelled, None),
            },
            (None, Some(_), None) => (TaskEnd::Cancelled, None),
        }
    }
}
