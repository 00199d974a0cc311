//! The calls of one request, and what each used.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use pointsman_domain::model::Model;
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::Usage;

/// One call of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallId(usize);

/// All calls, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: Vec<Call>,
    answering: Option<CallId>,
    /// What the tasks under way may still come to, by number.
    promised: HashMap<usize, Picodollars>,
    first_token: Option<Duration>,
}

#[derive(Debug)]
struct Call {
    model: Arc<Model>,
    /// At first the estimated input: the backend may have worked on it.
    usage: Usage,
    /// The task of a plan that it was made for, by number.
    task: Option<usize>,
}

impl Calls {
    pub(super) fn sent(&mut self, model: &Arc<Model>, input_tokens: u32, task: Option<usize>) -> CallId {
        let usage = Usage { input_tokens: input_tokens.into(), output_tokens: 0, estimated: true };
        self.calls.push(Call { model: Arc::clone(model), usage, task });
        CallId(self.calls.len() - 1)
    }

    pub(super) fn turned_away(&mut self, call: CallId) {
        self.used(call, Usage::default());
    }

    /// The time is that from the request's arrival.
    pub(super) fn answering(&mut self, call: CallId, first_token: Duration) {
        self.answering = Some(call);
        self.first_token = Some(first_token);
    }

    /// The answer needed no call of its own.
    pub(super) fn composed(&mut self, first_token: Duration) {
        self.first_token = Some(first_token);
    }

    pub(super) fn used(&mut self, call: CallId, usage: Usage) {
        if let Some(call) = self.calls.get_mut(call.0) {
            call.usage = usage;
        }
    }

    /// Sets money aside for a task, if with it all calls stay within a limit. What
    /// was set aside for other tasks counts in place of what they have used.
    pub(super) fn promise(&mut self, task: usize, cost: Picodollars, limit: Picodollars) -> bool {
        let is_promised = |task| self.promised.contains_key(&task);
        let (_, spent) = sum(self.calls.iter().filter(|call| !call.task.is_some_and(is_promised)));
        let promised = self.promised.values().fold(Picodollars::ZERO, |sum, &cost| sum + cost);
        let fits = spent + promised + cost <= limit;
        if fits {
            self.promised.insert(task, cost);
        }
        fits
    }

    /// A task is over: what it has used counts from now on.
    pub(super) fn settled(&mut self, task: usize) {
        self.promised.remove(&task);
    }

    pub(super) fn usage_of(&self, call: CallId) -> Usage {
        self.calls.get(call.0).map(|call| call.usage).unwrap_or_default()
    }

    pub(super) fn made(&self) -> u32 {
        u32::try_from(self.calls.len()).unwrap_or(u32::MAX)
    }

    /// What a task's calls have used, what that cost, and how many they are.
    pub(super) fn of_task(&self, task: usize) -> (Usage, Picodollars, usize) {
        let of_task = || self.calls.iter().filter(|call| call.task == Some(task));
        let (usage, cost) = sum(of_task());
        (usage, cost, of_task().count())
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

    pub(super) fn answering_model(&self) -> Option<&Arc<Model>> {
        self.answering.and_then(|call| self.calls.get(call.0)).map(|call| &call.model)
    }

    pub(super) fn first_token(&self) -> Option<Duration> {
        self.first_token
    }

    /// What each call's model used and what that cost, calls without use left out.
    pub(super) fn each(&self) -> impl Iterator<Item = (&Arc<Model>, Usage, Picodollars)> {
        let used = self.calls.iter().filter(|call| call.usage != Usage::default());
        used.map(|call| (&call.model, call.usage, call.cost()))
    }
}

impl Call {
    fn cost(&self) -> Picodollars {
        self.model.price.of(self.usage.input_tokens, self.usage.output_tokens)
    }
}

fn sum<'a>(calls: impl Iterator<Item = &'a Call>) -> (Usage, Picodollars) {
    calls.fold((Usage::default(), Picodollars::ZERO), |(usage, cost), call| {
        let usage = Usage {
            input_tokens: usage.input_tokens + call.usage.input_tokens,
            output_tokens: usage.output_tokens + call.usage.output_tokens,
            estimated: usage.estimated || call.usage.estimated,
        };
        (usage, cost + call.cost())
    })
}
