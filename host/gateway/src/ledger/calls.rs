//! The calls of one request, and what each used.

use std::sync::Arc;
use std::time::Duration;

use pointsman_domain::failure::FailureKind;
use pointsman_domain::history::{CallEnd, ModelCall};
use pointsman_domain::model::Model;
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::RequestEnd;
use pointsman_domain::plan::{CallLimits, PlanLimitExceeded, PlanLimits, PlanSpending};
use pointsman_domain::usage::Usage;

/// One call of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallId(usize);

/// All calls, in the order in which they were made. Times are those since the
/// request's arrival.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: Vec<ModelCall>,
    answering: Option<CallId>,
    /// Usage and reservations of the calls of a plan, by number of the call.
    spending: PlanSpending,
    first_token: Option<Duration>,
    /// Tokens of an answer that needed no call of its own.
    composed_tokens: u64,
}

impl Calls {
    pub(super) fn sent(
        &mut self,
        model: &Arc<Model>,
        input_tokens: u32,
        task: Option<usize>,
        begun: Duration,
        span: u64,
    ) -> CallId {
        self.calls.push(ModelCall {
            model: Arc::clone(model),
            task,
            span,
            begun,
            first_token: None,
            ended: None,
            end: CallEnd::Open,
            usage: Usage::counted(input_tokens.into(), 0).estimated(),
        });
        CallId(self.calls.len() - 1)
    }

    /// Reserves what the next call may come to within the limits of a plan, and
    /// returns the limit of output tokens for each of its answers.
    pub(super) fn reserve(
        &mut self,
        call: &CallLimits<'_>,
        limits: &PlanLimits,
    ) -> Result<u32, PlanLimitExceeded> {
        self.spending.reserve(self.calls.len(), call, limits)
    }

    /// Usage and reservations of the calls of a plan.
    pub(super) fn spending(&mut self) -> &mut PlanSpending {
        &mut self.spending
    }

    /// A call ended without an answer. Where no work was done on it, it used nothing;
    /// else what was reserved for it keeps counting, since it may be charged.
    pub(super) fn failed(&mut self, call: CallId, failure: FailureKind, ended: Duration) {
        let number = call.0;
        let Some(call) = self.calls.get_mut(number) else { return };
        if matches!(failure, FailureKind::Connect(_) | FailureKind::Status { .. }) {
            call.usage = Usage::default();
            self.spending.settle(number, call.usage, &call.model);
        }
        call.ended = Some(ended);
        call.end = CallEnd::Failed(failure);
    }

    /// A call brought what a plan goes on with.
    pub(super) fn brought(&mut self, call: CallId, ended: Duration) {
        let Some(call) = self.calls.get_mut(call.0) else { return };
        call.first_token = Some(ended);
        call.ended = Some(ended);
        call.end = CallEnd::Answered;
    }

    pub(super) fn answering(&mut self, call: CallId, first_token: Duration) {
        self.answering = Some(call);
        self.first_token = Some(first_token);
        if let Some(call) = self.calls.get_mut(call.0) {
            call.first_token = Some(first_token);
        }
    }

    /// The answer needed no call of its own.
    pub(super) fn composed(&mut self, first_token: Duration, tokens: u64) {
        self.first_token = Some(first_token);
        self.composed_tokens = tokens;
    }

    pub(super) fn used(&mut self, call: CallId, usage: Usage) {
        let number = call.0;
        if let Some(call) = self.calls.get_mut(number) {
            call.usage = usage;
            self.spending.settle(number, usage, &call.model);
        }
    }

    pub(super) fn usage_of(&self, call: CallId) -> Usage {
        self.calls.get(call.0).map(|call| call.usage).unwrap_or_default()
    }

    /// The span of a call.
    pub(super) fn span_of(&self, call: CallId) -> Option<u64> {
        self.calls.get(call.0).map(|call| call.span)
    }

    pub(super) fn made(&self) -> u32 {
        u32::try_from(self.calls.len()).unwrap_or(u32::MAX)
    }

    /// What a task's calls have used, and what that cost.
    pub(super) fn of_task(&self, task: usize) -> (Usage, Picodollars) {
        sum(self.calls.iter().filter(|call| call.task == Some(task)))
    }

    /// Takes calls off the tasks from a number on: they stay paid for.
    pub(super) fn disown(&mut self, first: usize) {
        for call in &mut self.calls {
            call.task = call.task.filter(|&task| task < first);
        }
    }

    pub(super) fn total(&self) -> (Usage, Picodollars) {
        sum(self.calls.iter())
    }

    pub(super) fn answering_call(&self) -> Option<&ModelCall> {
        self.answering.and_then(|call| self.calls.get(call.0))
    }

    pub(super) fn first_token(&self) -> Option<Duration> {
        self.first_token
    }

    /// Tokens of the answer that the client got.
    pub(super) fn answer_tokens(&self) -> u64 {
        self.answering_call().map_or(self.composed_tokens, |call| call.usage.output_tokens)
    }

    /// The calls, now that the request has ended.
    pub(super) fn close(self, at: Duration, ending: RequestEnd) -> Vec<ModelCall> {
        let mut calls = self.calls;
        for (number, call) in calls.iter_mut().enumerate() {
            call.close(at, self.answering == Some(CallId(number)), ending);
        }
        calls
    }
}

fn sum<'a>(calls: impl Iterator<Item = &'a ModelCall>) -> (Usage, Picodollars) {
    calls.fold((Usage::default(), Picodollars::ZERO), |(usage, cost), call| {
        (usage + call.usage, cost + call.cost())
    })
}
