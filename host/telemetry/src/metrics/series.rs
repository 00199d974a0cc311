//! Series by route and model.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pointsman_domain::history::{DecisionAnswer, History, ModelCall, PlanRun};
use pointsman_domain::ids::{BackendName, ModelId};
use pointsman_domain::model::Model;
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::{Outcome, RequestEnd};
use pointsman_domain::usage::Usage;

use super::durations::{DurationHistogram, GATEWAY_BUCKETS, MODEL_BUCKETS};
use super::labels::{ByAnswer, ByCallResult, ByCause, ByFault, ByOperation, ByRequestEnd, ByTaskEnd};

/// Series of one configuration. They are immutable as a set: another configuration has others,
/// which share the counters of the names that stay.
#[derive(Debug, Default)]
pub(super) struct Series {
    pub(super) routes: HashMap<Arc<str>, RouteSeries>,
    pub(super) models: HashMap<ModelId, Arc<ModelTotals>>,
}

/// Series of a name that clients ask for.
#[derive(Debug)]
pub(super) struct RouteSeries {
    pub(super) totals: Arc<RouteTotals>,
    /// By the model that answered or was called.
    pub(super) models: HashMap<ModelId, Arc<RouteModelSeries>>,
    /// Answers that the gateway composed, which no model gave.
    pub(super) composed: Arc<RouteModelSeries>,
}

/// Counters of a route.
#[derive(Debug)]
pub(super) struct RouteTotals {
    pub(super) ends: ByRequestEnd<AtomicU64>,
    pub(super) faults: ByFault<AtomicU64>,
    pub(super) causes: ByCause<AtomicU64>,
    pub(super) answers: ByAnswer<AtomicU64>,
    pub(super) policy_fallbacks: AtomicU64,
    pub(super) fallback_calls: AtomicU64,
    pub(super) compared: MoneyCounter,
    pub(super) baseline: MoneyCounter,
    pub(super) added: DurationHistogram,
    pub(super) plans: PlanTotals,
}

/// Counters of requests with plans.
#[derive(Debug)]
pub(super) struct PlanTotals {
    pub(super) ends: ByRequestEnd<AtomicU64>,
    pub(super) tasks: ByOperation<ByTaskEnd<AtomicU64>>,
    pub(super) critical_path: DurationHistogram,
}

/// Returns the tokens of one kind.
type TokenCount = fn(&Usage) -> u64;

/// Names and counts of special kinds of tokens, which are included in input and output tokens.
pub(super) const SPECIAL_KINDS: [(&str, TokenCount); 8] = [
    ("cached-input", |usage| usage.cached_input_tokens),
    ("cache-write", |usage| usage.cache_write_tokens),
    ("cache-write-1h", |usage| usage.cache_write_1h_tokens),
    ("reasoning", |usage| usage.reasoning_tokens),
    ("audio-input", |usage| usage.audio_input_tokens),
    ("audio-output", |usage| usage.audio_output_tokens),
    ("image-input", |usage| usage.image_input_tokens),
    ("image-output", |usage| usage.image_output_tokens),
];

/// Counters of one model at one route.
#[derive(Debug)]
pub(super) struct RouteModelSeries {
    /// Counters of the model at all routes.
    model: Option<Arc<ModelTotals>>,
    pub(super) answers: AtomicU64,
    pub(super) input_tokens: AtomicU64,
    pub(super) output_tokens: AtomicU64,
    /// Tokens of special kinds, in the order of [`SPECIAL_KINDS`].
    pub(super) special_tokens: [AtomicU64; SPECIAL_KINDS.len()],
    pub(super) cost: MoneyCounter,
    pub(super) latency: DurationHistogram,
    pub(super) first_token: DurationHistogram,
}

/// Counters of one model at all routes.
#[derive(Debug)]
pub(super) struct ModelTotals {
    pub(super) backend: BackendName,
    pub(super) calls: ByCallResult<AtomicU64>,
    pub(super) retries: AtomicU64,
}

/// A sum of money. Beyond 18 million dollars it wraps, which readers of counters handle as a reset.
#[derive(Debug, Default)]
pub(super) struct MoneyCounter(AtomicU64);

impl Series {
    /// Creates the series of another configuration. Names that stay keep their counters.
    pub(super) fn reconfigured<'a>(
        &self,
        served: impl Iterator<Item = (&'a Arc<str>, &'a [Arc<Model>])>,
    ) -> Self {
        let mut models: HashMap<ModelId, Arc<ModelTotals>> = HashMap::new();
        let routes = served.map(|(name, route_models)| {
            let before = self.routes.get(name);
            let series = route_models.iter().map(|model| {
                let totals = models.entry(model.id.clone()).or_insert_with(|| {
                    self.models.get(&model.id).cloned().unwrap_or_else(|| Arc::new(ModelTotals::new(model)))
                });
                let kept = before.and_then(|before| before.models.get(&model.id)).cloned();
                let series =
                    kept.unwrap_or_else(|| Arc::new(RouteModelSeries::new(Some(Arc::clone(totals)))));
                (model.id.clone(), series)
            });
            let series = RouteSeries {
                models: series.collect(),
                totals: before.map_or_else(Arc::default, |before| Arc::clone(&before.totals)),
                composed: before.map_or_else(
                    || Arc::new(RouteModelSeries::new(None)),
                    |before| Arc::clone(&before.composed),
                ),
            };
            (Arc::clone(name), series)
        });
        let routes = routes.collect();
        Self { routes, models }
    }

    /// Counts a request. A route or model that was removed from the configuration meanwhile has no
    /// series and is not counted.
    pub(super) fn add(&self, history: &History) {
        let Some(route) = self.routes.get(&history.route) else { return };
        route.totals.add(history);
        for (number, call) in history.calls.iter().enumerate() {
            if let Some(model) = route.models.get(&call.model.id) {
                model.add_call(call);
            }
            // Calls of other tasks are not repeated by this one.
            let mut before = history.calls.iter().take(number).filter(|before| before.task == call.task);
            if before.clone().any(|before| before.model.id == call.model.id) {
                route.add_retry(call);
            } else if before.next().is_some() {
                increment(&route.totals.fallback_calls);
            }
        }
        if history.outcome.ending == RequestEnd::Answered {
            let composed = Some(&route.composed);
            let model = history.outcome.model.as_ref().map_or(composed, |model| route.models.get(model));
            if let Some(model) = model {
                model.add_answer(&history.outcome);
            }
        }
    }
}

impl RouteSeries {
    fn add_retry(&self, call: &ModelCall) {
        let series = self.models.get(&call.model.id);
        if let Some(model) = series.and_then(|series| series.model.as_ref()) {
            increment(&model.retries);
        }
    }
}

impl Default for RouteTotals {
    fn default() -> Self {
        Self {
            ends: ByRequestEnd::default(),
            faults: ByFault::default(),
            causes: ByCause::default(),
            answers: ByAnswer::default(),
            policy_fallbacks: AtomicU64::default(),
            fallback_calls: AtomicU64::default(),
            compared: MoneyCounter::default(),
            baseline: MoneyCounter::default(),
            added: DurationHistogram::new(GATEWAY_BUCKETS),
            plans: PlanTotals {
                ends: ByRequestEnd::default(),
                tasks: ByOperation::default(),
                critical_path: DurationHistogram::new(MODEL_BUCKETS),
            },
        }
    }
}

impl RouteTotals {
    fn add(&self, history: &History) {
        let outcome = &history.outcome;
        increment(self.ends.get(outcome.ending));
        if let Some(fault) = outcome.fault {
            increment(self.faults.get(fault));
        }
        if let Some(cause) = history.cause {
            increment(self.causes.get(cause));
        }
        for entry in history.decisions.iter().filter(|entry| entry.policy.is_some()) {
            increment(self.answers.get(&entry.answer));
        }
        let earlier = history.decisions.split_last().map_or(&[][..], |(_, earlier)| earlier);
        if earlier.iter().any(|entry| matches!(entry.answer, DecisionAnswer::Failure { .. })) {
            increment(&self.policy_fallbacks);
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
            self.plans.add(plan, outcome);
        }
    }
}

impl PlanTotals {
    fn add(&self, plan: &PlanRun, outcome: &Outcome) {
        increment(self.ends.get(outcome.ending));
        for task in &plan.tasks {
            let (end, _) = task.end(Some(outcome));
            increment(self.tasks.get(task.operation).get(end));
        }
        let (_, critical_path) = plan.critical_path(outcome.latency);
        self.critical_path.add(critical_path);
    }

    /// Returns whether any request had a plan.
    pub(super) fn is_used(&self) -> bool {
        self.ends.iter().any(|(_, count)| get(count) > 0)
    }
}

impl RouteModelSeries {
    fn new(model: Option<Arc<ModelTotals>>) -> Self {
        Self {
            model,
            answers: AtomicU64::default(),
            input_tokens: AtomicU64::default(),
            output_tokens: AtomicU64::default(),
            special_tokens: Default::default(),
            cost: MoneyCounter::default(),
            latency: DurationHistogram::new(MODEL_BUCKETS),
            first_token: DurationHistogram::new(MODEL_BUCKETS),
        }
    }

    fn add_call(&self, call: &ModelCall) {
        self.input_tokens.fetch_add(call.usage.input_tokens, Ordering::Relaxed);
        self.output_tokens.fetch_add(call.usage.output_tokens, Ordering::Relaxed);
        for ((_, tokens), counter) in SPECIAL_KINDS.iter().zip(&self.special_tokens) {
            match tokens(&call.usage) {
                0 => {}
                tokens => _ = counter.fetch_add(tokens, Ordering::Relaxed),
            }
        }
        self.cost.add(call.cost());
        if let Some(model) = &self.model {
            increment(model.calls.get(&call.end));
        }
    }

    fn add_answer(&self, outcome: &Outcome) {
        increment(&self.answers);
        self.latency.add(outcome.latency);
        if let Some(first_token) = outcome.first_token {
            self.first_token.add(first_token);
        }
    }

    /// Returns whether the series has any samples. Most models of most routes are never called, and
    /// a histogram has many lines.
    pub(super) fn is_used(&self) -> bool {
        [&self.answers, &self.input_tokens, &self.output_tokens].into_iter().any(|count| get(count) > 0)
    }
}

impl ModelTotals {
    fn new(model: &Model) -> Self {
        Self { backend: model.backend.clone(), calls: ByCallResult::default(), retries: AtomicU64::default() }
    }
}

impl MoneyCounter {
    fn add(&self, amount: Picodollars) {
        self.0.fetch_add(amount.get(), Ordering::Relaxed);
    }

    pub(super) fn usd(&self) -> f64 {
        Picodollars::new(get(&self.0)).usd()
    }
}

fn increment(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

pub(super) fn get(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}
