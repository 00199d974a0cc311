//! The account of one request, open from its arrival to its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman_domain::ids::{KeyName, ModelId};
use pointsman_domain::model::Model;
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::{Ending, Outcome, Usage};

use super::Ledger;
use crate::feedback::Feedback;

/// What one request used so far. Dropping it unclosed means that the client
/// went away: what was used until then is entered.
#[derive(Debug)]
pub(crate) struct Account {
    ledger: Arc<Ledger>,
    feedback: Option<Feedback>,
    route: Arc<str>,
    key: Option<KeyName>,
    started: Instant,
    /// Estimated input tokens, charged for calls that never told theirs.
    input_tokens: u32,
    /// Calls under way or given up, whose input the backend may have worked on.
    unanswered: Vec<Arc<Model>>,
    /// The call whose answer the client gets.
    answer: Option<Charge>,
    id: String,
    label: String,
    attempts: u32,
    first_token: Option<Duration>,
    closed: bool,
}

/// What the answering call used so far.
#[derive(Clone, Debug)]
struct Charge {
    /// Which model answers.
    model: Arc<Model>,
    /// Tokens, as the backend counts or as estimated.
    usage: Usage,
}

impl Account {
    /// Opens the account of a request that has just arrived.
    pub(crate) fn open(
        ledger: Arc<Ledger>,
        id: &str,
        route: Arc<str>,
        key: Option<KeyName>,
        input_tokens: u32,
        started: Instant,
    ) -> Self {
        Self {
            ledger,
            feedback: None,
            route,
            key,
            started,
            input_tokens,
            unanswered: Vec::new(),
            answer: None,
            id: id.to_owned(),
            label: String::new(),
            attempts: 0,
            first_token: None,
            closed: false,
        }
    }

    /// Notes what was decided, and who wants to hear what becomes of it.
    pub(crate) fn decided(&mut self, label: &str, feedback: Option<Feedback>) {
        label.clone_into(&mut self.label);
        self.feedback = feedback;
    }

    /// A call was started: until told otherwise, its input is paid for.
    pub(crate) fn sent(&mut self, model: &Arc<Model>) {
        self.attempts += 1;
        self.unanswered.push(Arc::clone(model));
    }

    /// A call was turned away before any work was done on it.
    pub(crate) fn turned_away(&mut self, model: &ModelId) {
        if let Some(call) = self.unanswered.iter().position(|sent| sent.id == *model) {
            self.unanswered.swap_remove(call);
        }
    }

    /// A call is being answered; the client will see its first token.
    pub(crate) fn answering(&mut self, model: &Arc<Model>, now: Instant) {
        self.turned_away(&model.id);
        let usage = Usage { input_tokens: self.input_tokens.into(), output_tokens: 0, estimated: true };
        self.answer = Some(Charge { model: Arc::clone(model), usage });
        self.first_token = Some(now.saturating_duration_since(self.started));
    }

    /// The answering call has used this much by now.
    pub(crate) fn used(&mut self, usage: Usage) {
        if let Some(answer) = &mut self.answer {
            answer.usage = usage;
        }
    }

    /// Output tokens of the answering call so far.
    pub(crate) fn output_tokens(&self) -> u64 {
        self.answer.as_ref().map_or(0, |charge| charge.usage.output_tokens)
    }

    /// The estimate of the request's input tokens.
    pub(crate) fn input_tokens(&self) -> u32 {
        self.input_tokens
    }

    /// Calls made so far.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Money spent so far: the answering call, and the input of those in vain.
    pub(crate) fn cost(&self) -> Picodollars {
        let answer = self
            .answer
            .iter()
            .map(|charge| charge.model.price.of(charge.usage.input_tokens, charge.usage.output_tokens));
        let in_vain = self.unanswered.iter().map(|model| model.price.of(self.input_tokens.into(), 0));
        answer.chain(in_vain).sum()
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
        let outcome = self.outcome(ending, error);
        self.ledger.enter(Arc::clone(&self.route), self.key.take(), &outcome);
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
        if let Some(feedback) = self.feedback.take() {
            feedback.send(outcome);
        }
    }

    fn outcome(&mut self, ending: Ending, error: Option<String>) -> Outcome {
        Outcome {
            id: std::mem::take(&mut self.id),
            label: std::mem::take(&mut self.label),
            ending,
            attempts: self.attempts,
            usage: self.total_usage(),
            cost: self.cost(),
            model: self.answer.as_ref().map(|charge| charge.model.id.clone()),
            first_token: self.first_token,
            latency: self.started.elapsed(),
            error,
        }
    }

    fn total_usage(&self) -> Usage {
        let answer = self.answer.as_ref().map(|charge| charge.usage).unwrap_or_default();
        let in_vain = self.unanswered.len() as u64 * u64::from(self.input_tokens);
        Usage {
            input_tokens: answer.input_tokens + in_vain,
            output_tokens: answer.output_tokens,
            estimated: answer.estimated || in_vain > 0,
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if !self.closed {
            self.enter(Ending::Cancelled, None);
        }
    }
}
