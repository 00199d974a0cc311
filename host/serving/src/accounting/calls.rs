//! The calls of one request, with what each used and reserved.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pointsman_domain::failure::FailureKind;
use pointsman_domain::history::{CallEnd, ModelCall};
use pointsman_domain::model::Model;
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::RequestEnd;
use pointsman_domain::plan::{CallLimits, PlanLimitExceeded, PlanLimits, PlanSpending, Task};
use pointsman_domain::prompt::ContentSize;
use pointsman_domain::usage::Usage;

/// One call of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallId(usize);

/// Calls of a request, shared by tasks that run concurrently.
#[derive(Debug)]
pub struct CallLedger {
    arrived: Instant,
    calls: Mutex<Calls>,
}

impl CallLedger {
    pub(super) fn new(arrived: Instant) -> Self {
        Self { arrived, calls: Mutex::default() }
    }

    /// Records the start of a call. Until its usage is known, the estimated input tokens count as
    /// paid for.
    pub fn begin(&self, model: &Arc<Model>, input_tokens: u32, task: Option<usize>) -> CallId {
        let mut calls = self.lock();
        // Under the lock, so that calls are in the order in which they began.
        let begun = self.elapsed(Instant::now());
        calls.begin(model, input_tokens, task, begun, fastrand::u64(1..))
    }

    /// Records the start of a call within the limits of a plan, and returns the limit of output
    /// tokens for each of its answers.
    ///
    /// # Errors
    /// Fails when the most that the call can come to exceeds what is left. The call is not
    /// recorded then.
    pub fn begin_within(
        &self,
        limits: &PlanLimits,
        model: &Arc<Model>,
        call: &CallLimits<'_>,
    ) -> Result<(CallId, u32), PlanLimitExceeded> {
        let mut calls = self.lock();
        let max_output_tokens = calls.reserve(call, limits)?;
        let input_tokens = u32::try_from(call.input_tokens).unwrap_or(u32::MAX);
        let begun = self.elapsed(Instant::now());
        let id = calls.begin(model, input_tokens, call.task, begun, fastrand::u64(1..));
        Ok((id, max_output_tokens))
    }

    /// Reserves bytes for content that a plan is going to assemble.
    ///
    /// # Errors
    /// Fails when it exceeds what is left.
    pub fn reserve_content(&self, size: &ContentSize, limits: &PlanLimits) -> Result<(), PlanLimitExceeded> {
        self.lock().spending.assemble(size, limits)
    }

    /// Returns what is left of the limits of a plan.
    pub fn left(&self, limits: &PlanLimits) -> PlanLimits {
        self.lock().spending.left(limits)
    }

    /// Releases what a task has reserved and not used.
    pub fn end_task(&self, task: usize) {
        self.lock().spending.end_task(task);
    }

    pub(super) fn start_step<'t>(
        &self,
        first: usize,
        tasks: impl IntoIterator<Item = &'t Task>,
        step_follows: bool,
    ) {
        let mut calls = self.lock();
        calls.disown(first);
        calls.spending.start_step((first..).zip(tasks), step_follows);
    }

    pub(super) fn record_failure(&self, call: CallId, failure: FailureKind) {
        let ended = self.elapsed(Instant::now());
        self.lock().record_failure(call, failure, ended);
    }

    /// Records that a call gave the output of a task.
    pub fn record_output(&self, call: CallId, now: Instant) {
        self.lock().record_output(call, self.elapsed(now));
    }

    /// Records that a call gives the client's answer, with the time of its first token.
    pub fn record_first_token(&self, call: CallId, now: Instant) {
        self.lock().record_first_token(call, self.elapsed(now));
    }

    /// Records the first token of an answer that was composed of outputs.
    pub fn record_composed(&self, now: Instant, tokens: u64) {
        self.lock().record_composed(self.elapsed(now), tokens);
    }

    /// Sets the usage of a call so far.
    pub fn set_usage(&self, call: CallId, usage: Usage) {
        self.lock().set_usage(call, usage);
    }

    /// Returns the usage of a call so far.
    pub fn usage_of(&self, call: CallId) -> Usage {
        self.lock().usage_of(call)
    }

    /// Returns the estimated input tokens of a call, for answers without usage.
    pub fn input_estimate(&self, call: CallId) -> u32 {
        u32::try_from(self.usage_of(call).input_tokens).unwrap_or(u32::MAX)
    }

    /// Returns usage and cost of the calls of a task.
    pub fn of_task(&self, task: usize) -> (Usage, Picodollars) {
        self.lock().of_task(task)
    }

    /// Returns the number of calls so far.
    pub fn made(&self) -> u32 {
        self.lock().made()
    }

    /// Returns the usage of all calls so far.
    pub fn usage(&self) -> Usage {
        self.lock().total().0
    }

    /// Returns the cost so far: of answers, and of the input of failed calls.
    pub fn cost(&self) -> Picodollars {
        self.lock().total().1
    }

    pub(super) fn span_of(&self, call: CallId) -> Option<u64> {
        self.lock().span_of(call)
    }

    pub(super) fn take(&self) -> Calls {
        std::mem::take(&mut *self.lock())
    }

    fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.arrived)
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All calls in the order in which they were made. Times are relative to the arrival of the
/// request.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: Vec<ModelCall>,
    answering: Option<CallId>,
    /// Usage and reservations of the calls of a plan, by number of the call.
    spending: PlanSpending,
    first_token: Option<Duration>,
    /// Output tokens of an answer that was composed of outputs.
    composed_tokens: u64,
}

impl Calls {
    fn begin(
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

    fn reserve(&mut self, call: &CallLimits<'_>, limits: &PlanLimits) -> Result<u32, PlanLimitExceeded> {
        self.spending.reserve(self.calls.len(), call, limits)
    }

    /// Ends a call without an answer. If the model did no work on it, it used nothing; otherwise
    /// its reservation keeps counting, since it may be charged.
    fn record_failure(&mut self, call: CallId, failure: FailureKind, ended: Duration) {
        let number = call.0;
        let Some(call) = self.calls.get_mut(number) else { return };
        if !failure.may_be_charged() {
            call.usage = Usage::default();
            self.spending.settle(number, call.usage, &call.model);
        }
        call.ended = Some(ended);
        call.end = CallEnd::Failed(failure);
    }

    fn record_output(&mut self, call: CallId, ended: Duration) {
        let Some(call) = self.calls.get_mut(call.0) else { return };
        call.first_token = Some(ended);
        call.ended = Some(ended);
        call.end = CallEnd::Answered;
    }

    fn record_first_token(&mut self, call: CallId, first_token: Duration) {
        self.answering = Some(call);
        self.first_token = Some(first_token);
        if let Some(call) = self.calls.get_mut(call.0) {
            call.first_token = Some(first_token);
        }
    }

    fn record_composed(&mut self, first_token: Duration, tokens: u64) {
        self.first_token = Some(first_token);
        self.composed_tokens = tokens;
    }

    fn set_usage(&mut self, call: CallId, usage: Usage) {
        let number = call.0;
        if let Some(call) = self.calls.get_mut(number) {
            call.usage = usage;
            self.spending.settle(number, usage, &call.model);
        }
    }

    fn usage_of(&self, call: CallId) -> Usage {
        self.calls.get(call.0).map(|call| call.usage).unwrap_or_default()
    }

    fn span_of(&self, call: CallId) -> Option<u64> {
        self.calls.get(call.0).map(|call| call.span)
    }

    pub(super) fn made(&self) -> u32 {
        u32::try_from(self.calls.len()).unwrap_or(u32::MAX)
    }

    fn of_task(&self, task: usize) -> (Usage, Picodollars) {
        sum(self.calls.iter().filter(|call| call.task == Some(task)))
    }

    /// Detaches calls from the tasks from a number on.
    fn disown(&mut self, first: usize) {
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

    /// Output tokens of the client's answer.
    pub(super) fn answer_tokens(&self) -> u64 {
        self.answering_call().map_or(self.composed_tokens, |call| call.usage.output_tokens)
    }

    /// Returns the calls of a request that has ended.
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
