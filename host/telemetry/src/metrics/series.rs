//! What requests came to, by route and model.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pointsman_domain::history::{DecisionAnswer, DecisionEntry, History, ModelCall, PlanRun, TaskEnd};
use pointsman_domain::ids::ModelId;
use pointsman_domain::model::{Model, Operation};
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::{Fault, Outcome, RequestEnd};

use super::calls::Calls;
use super::times::{MODELS, OWN, Times};

/// How requests end.
pub(super) const ENDINGS: [RequestEnd; 3] = [RequestEnd::Answered, RequestEnd::Failed, RequestEnd::Cancelled];
/// Whose fault it is when they fail.
pub(super) const FAULTS: [Fault; 4] = [Fault::Client, Fault::Policy, Fault::Backend, Fault::Deadline];
/// What policies answer.
pub(super) const ANSWERS: [&str; 5] = ["route", "plan", "finish", "refusal", "failure"];
/// What models are called for.
pub(super) const OPERATIONS: [Operation; 3] = Operation::ALL;
/// How tasks end.
pub(super) const TASK_ENDS: [TaskEnd; 4] =
    [TaskEnd::Done, TaskEnd::Failed, TaskEnd::Cancelled, TaskEnd::Skipped];

/// All series of one configuration. Never changed: another configuration has others,
/// which go on with the counts of what stays.
#[derive(Debug, Default)]
pub(super) struct Series {
    pub(super) routes: HashMap<Arc<str>, RouteSeries>,
    pub(super) models: HashMap<ModelId, Arc<Calls>>,
}

/// The series of a name that clients ask for.
#[derive(Debug)]
pub(super) struct RouteSeries {
    pub(super) totals: Arc<Totals>,
    /// By the model that answered, or was called.
    pub(super) models: HashMap<ModelId, Arc<OnModel>>,
    /// Of answers that were put together without a call of their own.
    pub(super) composed: Arc<OnModel>,
}

/// Counts of a route.
#[derive(Debug)]
pub(super) struct Totals {
    pub(super) endings: [AtomicU64; ENDINGS.len()],
    pub(super) faults: [AtomicU64; FAULTS.len()],
    pub(super) answers: [AtomicU64; ANSWERS.len()],
    pub(super) policy_fallbacks: AtomicU64,
    pub(super) fallback_calls: AtomicU64,
    pub(super) compared: Money,
    pub(super) baseline: Money,
    pub(super) added: Times,
    pub(super) plans: Plans,
}

/// Counts of requests that were cut into tasks.
#[derive(Debug)]
pub(super) struct Plans {
    pub(super) endings: [AtomicU64; ENDINGS.len()],
    /// By operation.
    pub(super) tasks: [[AtomicU64; TASK_ENDS.len()]; OPERATIONS.len()],
    pub(super) critical_path: Times,
}

/// Counts of one model at a route.
#[derive(Debug)]
pub(super) struct OnModel {
    /// Those of the model at all routes.
    calls: Option<Arc<Calls>>,
    pub(super) answers: AtomicU64,
    pub(super) input_tokens: AtomicU64,
    pub(super) output_tokens: AtomicU64,
    pub(super) cached_input_tokens: AtomicU64,
    pub(super) cache_write_tokens: AtomicU64,
    pub(super) reasoning_tokens: AtomicU64,
    pub(super) cost: Money,
    pub(super) latency: Times,
    pub(super) first_token: Times,
}

/// A sum of money; beyond 18 million dollars it starts again, as a counter may.
#[derive(Debug, Default)]
pub(super) struct Money(AtomicU64);

impl Series {
    /// Those of another configuration.
    pub(super) fn renewed<'a>(&self, served: impl Iterator<Item = (&'a Arc<str>, &'a [Arc<Model>])>) -> Self {
        let mut models: HashMap<ModelId, Arc<Calls>> = HashMap::new();
        let routes = served.map(|(name, behind)| {
            let before = self.routes.get(name);
            let on_models = behind.iter().map(|model| {
                let calls = models.entry(model.id.clone()).or_insert_with(|| {
                    self.models.get(&model.id).cloned().unwrap_or_else(|| Arc::new(Calls::new(model)))
                });
                let kept = before.and_then(|before| before.models.get(&model.id)).cloned();
                (model.id.clone(), kept.unwrap_or_else(|| Arc::new(OnModel::new(Some(Arc::clone(calls))))))
            });
            let series = RouteSeries {
                models: on_models.collect(),
                totals: before.map_or_else(Arc::default, |before| Arc::clone(&before.totals)),
                composed: before
                    .map_or_else(|| Arc::new(OnModel::new(None)), |before| Arc::clone(&before.composed)),
            };
            (Arc::clone(name), series)
        });
        let routes = routes.collect();
        Self { routes, models }
    }

    /// Counts a request. One that outlived its route or model in the configuration
    /// is not counted there.
    pub(super) fn add(&self, history: &History) {
        let Some(route) = self.routes.get(&history.route) else { return };
        route.totals.add(history);
        for (number, call) in history.calls.iter().enumerate() {
            if let Some(model) = route.models.get(&call.model.id) {
                model.called(call);
            }
            let mut before = history.calls.iter().take(number).filter(|before| before.task == call.task);
            if before.clone().any(|before| before.model.id == call.model.id) {
                route.retried(call);
            } else if before.next().is_some() {
                one_more(&route.totals.fallback_calls);
            }
        }
        if history.outcome.ending == RequestEnd::Answered {
            let composed = Some(&route.composed);
            let model = history.outcome.model.as_ref().map_or(composed, |model| route.models.get(model));
            if let Some(model) = model {
                model.answered(&history.outcome);
            }
        }
    }
}

impl RouteSeries {
    fn retried(&self, call: &ModelCall) {
        let model = self.models.get(&call.model.id);
        if let Some(calls) = model.and_then(|model| model.calls.as_ref()) {
            one_more(&calls.retried);
        }
    }
}

impl Default for Totals {
    fn default() -> Self {
        Self {
            endings: Default::default(),
            faults: Default::default(),
            answers: Default::default(),
            policy_fallbacks: AtomicU64::default(),
            fallback_calls: AtomicU64::default(),
            compared: Money::default(),
            baseline: Money::default(),
            added: Times::new(OWN),
            plans: Plans {
                endings: Default::default(),
                tasks: Default::default(),
                critical_path: Times::new(MODELS),
            },
        }
    }
}

impl Totals {
    fn add(&self, history: &History) {
        let outcome = &history.outcome;
        one_more(&self.endings[outcome.ending as usize]);
        if let Some(fault) = outcome.fault {
            one_more(&self.faults[fault as usize]);
        }
        for asked in history.decisions.iter().filter(|asked| asked.policy.is_some()) {
            one_more(&self.answers[answer(asked)]);
        }
        let earlier = history.decisions.split_last().map_or(&[][..], |(_, earlier)| earlier);
        if earlier.iter().any(|asked| matches!(asked.answer, DecisionAnswer::Failure { .. })) {
            one_more(&self.policy_fallbacks);
        }
        if let Some(baseline) = &history.baseline {
            self.compared.add(outcome.cost);
            self.baseline.add(baseline.cost);
        }
        if outcome.ending == RequestEnd::Answered
            && let Some(added) = history.added_latency()
        {
            self.added.add(added);
        }
        if let Some(plan) = &history.plan {
            self.plans.add(plan, history);
        }
    }
}

impl Plans {
    fn add(&self, plan: &PlanRun, history: &History) {
        one_more(&self.endings[history.outcome.ending as usize]);
        for task in &plan.tasks {
            let operation = OPERATIONS.iter().position(|operation| *operation == task.operation);
            if let Some(ends) = operation.and_then(|operation| self.tasks.get(operation)) {
                let (end, _) = task.end(Some(&history.outcome));
                // There is a place for every end of a request that was worked on.
                ends.get(end as usize).into_iter().for_each(one_more);
            }
        }
        let (_, critical_path) = plan.critical_path(history.outcome.latency);
        self.critical_path.add(critical_path);
    }
}

impl OnModel {
    fn new(calls: Option<Arc<Calls>>) -> Self {
        Self {
            calls,
            answers: AtomicU64::default(),
            input_tokens: AtomicU64::default(),
            output_tokens: AtomicU64::default(),
            cached_input_tokens: AtomicU64::default(),
            cache_write_tokens: AtomicU64::default(),
            reasoning_tokens: AtomicU64::default(),
            cost: Money::default(),
            latency: Times::new(MODELS),
            first_token: Times::new(MODELS),
        }
    }

    fn called(&self, call: &ModelCall) {
        self.input_tokens.fetch_add(call.usage.input_tokens, Ordering::Relaxed);
        self.output_tokens.fetch_add(call.usage.output_tokens, Ordering::Relaxed);
        self.cached_input_tokens.fetch_add(call.usage.cached_input_tokens, Ordering::Relaxed);
        self.cache_write_tokens.fetch_add(call.usage.cache_write_tokens, Ordering::Relaxed);
        self.reasoning_tokens.fetch_add(call.usage.reasoning_tokens, Ordering::Relaxed);
        self.cost.add(call.cost());
        if let Some(calls) = &self.calls {
            calls.ended(&call.end);
        }
    }

    fn answered(&self, outcome: &Outcome) {
        one_more(&self.answers);
        self.latency.add(outcome.latency);
        if let Some(first_token) = outcome.first_token {
            self.first_token.add(first_token);
        }
    }

    /// Whether there is anything to tell of it: most models of most routes are
    /// never called, and a histogram is many lines.
    pub(super) fn is_used(&self) -> bool {
        [&self.answers, &self.input_tokens, &self.output_tokens].into_iter().any(|count| get(count) > 0)
    }
}

impl Money {
    fn add(&self, amount: Picodollars) {
        self.0.fetch_add(amount.get(), Ordering::Relaxed);
    }

    pub(super) fn usd(&self) -> f64 {
        Picodollars::new(get(&self.0)).usd()
    }
}

/// The place of what was answered in [`ANSWERS`].
const fn answer(asked: &DecisionEntry) -> usize {
    match asked.answer {
        DecisionAnswer::Route(_) => 0,
        DecisionAnswer::Plan { .. } => 1,
        DecisionAnswer::Finish { .. } => 2,
        DecisionAnswer::Refusal(_) => 3,
        DecisionAnswer::Failure { .. } => 4,
    }
}

fn one_more(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

pub(super) fn get(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}
