//! The account of one request, open from its arrival to its end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pointsman_domain::ids::{KeyName, ModelId};
use pointsman_domain::model::Model;
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::{Ending, Outcome, Usage};
use pointsman_policy::Record;

use super::Ledger;
use super::calls::{CallId, Calls};
use super::plans::PlanNotes;
use crate::feedback::Feedback;

/// What one request used so far. Dropping it unclosed means that the client
/// went away: what was used until then is entered. Calls are noted through a
/// shared reference, because the tasks of a plan run side by side.
#[derive(Debug)]
pub(crate) struct Account {
    ledger: Arc<Ledger>,
    feedback: Option<Feedback>,
    /// What else has a record of what becomes of it.
    records: Vec<Arc<Record>>,
    route: Arc<str>,
    key: Option<KeyName>,
    started: Instant,
    id: String,
    label: String,
    calls: Mutex<Calls>,
    /// How its plan goes, if there is one.
    plan: Mutex<Option<PlanNotes>>,
    closed: bool,
}

impl Account {
    /// Opens the account of a request that has just arrived.
    pub(crate) fn open(
        ledger: Arc<Ledger>,
        id: &str,
        route: Arc<str>,
        key: Option<KeyName>,
        started: Instant,
    ) -> Self {
        Self {
            ledger,
            feedback: None,
            records: Vec::new(),
            route,
            key,
            started,
            id: id.to_owned(),
            label: String::new(),
            calls: Mutex::default(),
            plan: Mutex::default(),
            closed: false,
        }
    }

    /// Notes what was decided, and who wants to hear what becomes of it.
    pub(crate) fn decided(&mut self, label: &str, feedback: Option<Feedback>, records: Vec<Arc<Record>>) {
        label.clone_into(&mut self.label);
        self.feedback = feedback;
        self.records = records;
    }

    /// Notes that a plan has come to another kind of choice in the end.
    pub(crate) fn relabelled(&mut self, label: &str) {
        label.clone_into(&mut self.label);
    }

    /// A call with about so many input tokens was started: until told otherwise,
    /// they are paid for.
    pub(crate) fn sent(&self, model: &Arc<Model>, input_tokens: u32, task: Option<usize>) -> CallId {
        self.calls().sent(model, input_tokens, task)
    }

    /// A call was turned away before any work was done on it.
    pub(crate) fn turned_away(&self, call: CallId) {
        self.calls().turned_away(call);
    }

    /// A call is being answered; the client will see its first token.
    pub(crate) fn answering(&self, call: CallId, now: Instant) {
        self.calls().answering(call, now.saturating_duration_since(self.started));
    }

    /// A call has used this much by now.
    pub(crate) fn used(&self, call: CallId, usage: Usage) {
        self.calls().used(call, usage);
    }

    /// Sets money aside for a task, if the request may cost that much with it.
    pub(crate) fn promise(&self, task: usize, cost: Picodollars, limit: Picodollars) -> bool {
        self.calls().promise(task, cost, limit)
    }

    /// A task is over, and needs no more money than it has used.
    pub(crate) fn settled(&self, task: usize) {
        self.calls().settled(task);
    }

    /// What a call has used so far.
    pub(crate) fn usage_of(&self, call: CallId) -> Usage {
        self.calls().usage_of(call)
    }

    /// The input tokens that a call was noted with, as an estimate for when its
    /// answer tells none.
    pub(crate) fn input_estimate(&self, call: CallId) -> u32 {
        u32::try_from(self.usage_of(call).input_tokens).unwrap_or(u32::MAX)
    }

    /// What a task's calls have used, and what they cost.
    pub(crate) fn of_task(&self, task: usize) -> (Usage, Picodollars) {
        let (usage, cost, _) = self.calls().of_task(task);
        (usage, cost)
    }

    /// The first token of an answer that was put together here.
    pub(crate) fn composed(&self, now: Instant) {
        self.calls().composed(now.saturating_duration_since(self.started));
    }

    /// The decision's id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// A step of a plan begins, with tasks from this number on. What an abandoned
    /// plan of another policy had from there are none of its tasks.
    pub(crate) fn begin_step(&self, first: usize) {
        self.note(|notes| notes.tasks.truncate(first));
        self.calls().disown(first);
    }

    /// Notes how a plan goes.
    pub(crate) fn note(&self, note: impl FnOnce(&mut PlanNotes)) {
        note(self.plan().get_or_insert_default());
    }

    /// How many tasks the request was cut into, if it was.
    pub(crate) fn tasks(&self) -> Option<usize> {
        self.plan().as_ref().map(|notes| notes.tasks.len())
    }

    /// Whether the request was cut into tasks.
    pub(crate) fn has_plan(&self) -> bool {
        self.plan().is_some()
    }

    /// Calls made so far.
    pub(crate) fn attempts(&self) -> u32 {
        self.calls().made()
    }

    /// What all calls have used so far.
    pub(crate) fn usage(&self) -> Usage {
        self.calls().total().0
    }

    /// Money spent so far: on answers, and on the input of calls in vain.
    pub(crate) fn cost(&self) -> Picodollars {
        self.calls().total().1
    }

    /// Time since the request arrived.
    pub(crate) fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
    }

    /// Enters the request into the ledger, and tells the policy if it asked.
    pub(crate) fn close(mut self, ending: Ending, error: Option<String>) {
        self.enter(ending, error);
    }

    fn enter(&mut self, ending: Ending, error: Option<String>) {
        self.closed = true;
        let calls = std::mem::take(&mut *self.calls());
        let outcome = self.outcome(&calls, ending, error);
        self.ledger.enter(&self.route, self.key.as_ref(), &outcome, &calls);
        let notes = self.plan().take();
        if let Some(notes) = notes {
            self.ledger.plans.keep(notes.trace(&self.route, &outcome, &calls));
        }
        tracing::debug!(
            decision = %outcome.id,
            route = %self.route,
            label = %outcome.label,
            model = outcome.model.as_ref().map_or("-", ModelId::as_str),
            ending = ?outcome.ending,
            attempts = outcome.attempts,
            input_tokens = outcome.usage.input_tokens,
            output_tokens = outcome.usage.output_tokens,
            cost_usd = %outcome.cost,
            latency_ms = outcome.latency.as_millis() as u64,
            error = outcome.error.as_deref(),
            "request ended"
        );
        for record in &self.records {
            record.ended(&outcome);
        }
        if let Some(feedback) = self.feedback.take() {
            feedback.send(outcome);
        }
    }

    fn outcome(&mut self, calls: &Calls, ending: Ending, error: Option<String>) -> Outcome {
        let (usage, cost) = calls.total();
        Outcome {
            id: std::mem::take(&mut self.id),
            label: std::mem::take(&mut self.label),
            ending,
            attempts: calls.made(),
            usage,
            cost,
            model: calls.answering_model().map(|model| model.id.clone()),
            first_token: calls.first_token(),
            latency: self.started.elapsed(),
            error,
        }
    }

    fn plan(&self) -> MutexGuard<'_, Option<PlanNotes>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if !self.closed {
            self.enter(Ending::Cancelled, None);
        }
    }
}
