//! Sums of usage and cost since the gateway started, by route, model and key.

use std::collections::HashMap;
use std::ops::AddAssign;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pointsman_domain::history::History;
use pointsman_domain::ids::{KeyName, ModelId};
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::{FailureCounts, RequestEnd};
use pointsman_domain::usage::Usage;

/// Sums since the gateway started. All names come from the configuration, which bounds the number of
/// lines.
#[derive(Debug, Default)]
pub struct Ledger {
    lines: Mutex<HashMap<LineKey, UsageTotals>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct LineKey {
    route: Arc<str>,
    model: Option<ModelId>,
    key: Option<KeyName>,
}

/// Sums over some requests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UsageTotals {
    /// Answered requests.
    pub answered: u64,
    /// Failed requests.
    pub failed: u64,
    /// Failed requests by cause.
    pub failed_by: FailureCounts,
    /// Requests whose client disconnected.
    pub cancelled: u64,
    /// Input tokens, cached ones included.
    pub input_tokens: u64,
    /// Input tokens read from a cache of the provider.
    pub cached_input_tokens: u64,
    /// Output tokens, reasoning included.
    pub output_tokens: u64,
    /// Reasoning tokens.
    pub reasoning_tokens: u64,
    /// Cost of the requests.
    pub cost: Picodollars,
    /// Cost of the requests that can be compared with the baseline.
    pub compared_cost: Picodollars,
    /// Cost of the same requests with the baseline model.
    pub baseline_cost: Picodollars,
}

/// Sums over all requests, and by route and model.
#[derive(Debug, Default)]
pub struct LedgerSums {
    /// Sum of all lines.
    pub all: UsageTotals,
    /// Sums by route.
    pub by_route: HashMap<String, UsageTotals>,
    /// Sums by model.
    pub by_model: HashMap<String, UsageTotals>,
}

/// One line of the ledger, for the admin API.
#[derive(Debug)]
pub struct LedgerLine {
    /// Name of the route.
    pub route: String,
    /// Id of the model; `None` where none was called.
    pub model: Option<String>,
    /// Name of the key; `None` where no keys are configured.
    pub key: Option<String>,
    /// Sums of its requests.
    pub totals: UsageTotals,
}

impl Ledger {
    /// Adds a request. It counts on the line of the model that answered, or else of the last one
    /// called; usage and cost count on the line of each model that was called.
    pub fn record(&self, history: &History) {
        let line = |model: Option<&ModelId>| LineKey {
            route: Arc::clone(&history.route),
            model: model.cloned(),
            key: history.request.tenant.clone(),
        };
        let mut lines = self.lines();
        let totals = lines.entry(line(history.last_model())).or_default();
        match history.outcome.ending {
            RequestEnd::Answered => totals.answered += 1,
            RequestEnd::Failed => totals.failed += 1,
            RequestEnd::Cancelled => totals.cancelled += 1,
        }
        if let Some(cause) = history.cause {
            totals.failed_by.add(cause);
        }
        if let Some(baseline) = &history.baseline {
            totals.compared_cost += history.outcome.cost;
            totals.baseline_cost += baseline.cost;
        }
        for call in history.calls.iter().filter(|call| call.usage != Usage::default()) {
            let totals = lines.entry(line(Some(&call.model.id))).or_default();
            totals.input_tokens += call.usage.input_tokens;
            totals.cached_input_tokens += call.usage.cached_input_tokens;
            totals.output_tokens += call.usage.output_tokens;
            totals.reasoning_tokens += call.usage.reasoning_tokens;
            totals.cost += call.cost();
        }
    }

    /// Returns all lines, sorted by name.
    pub fn report(&self) -> Vec<LedgerLine> {
        let mut lines: Vec<_> = self.lines().iter().map(|(key, totals)| (key.clone(), *totals)).collect();
        lines.sort_by(|(a, _), (b, _)| a.cmp(b));
        lines.into_iter().map(LedgerLine::from).collect()
    }

    /// Returns the sums of the lines.
    pub fn sums(&self) -> LedgerSums {
        let mut sums = LedgerSums::default();
        let add =
            |to: &mut HashMap<String, UsageTotals>, name: &str, totals: UsageTotals| match to.get_mut(name) {
                Some(sum) => *sum += totals,
                None => drop(to.insert(name.to_owned(), totals)),
            };
        for (key, totals) in self.lines().iter() {
            sums.all += *totals;
            add(&mut sums.by_route, &key.route, *totals);
            if let Some(model) = &key.model {
                add(&mut sums.by_model, model.as_str(), *totals);
            }
        }
        sums
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<LineKey, UsageTotals>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UsageTotals {
    /// Returns the number of requests, however they ended.
    pub fn requests(&self) -> u64 {
        self.answered + self.failed + self.cancelled
    }
}

impl AddAssign for UsageTotals {
    fn add_assign(&mut self, other: Self) {
        self.answered += other.answered;
        self.failed += other.failed;
        self.failed_by += other.failed_by;
        self.cancelled += other.cancelled;
        self.input_tokens += other.input_tokens;
        self.cached_input_tokens += other.cached_input_tokens;
        self.output_tokens += other.output_tokens;
        self.reasoning_tokens += other.reasoning_tokens;
        self.cost += other.cost;
        self.compared_cost += other.compared_cost;
        self.baseline_cost += other.baseline_cost;
    }
}

impl From<(LineKey, UsageTotals)> for LedgerLine {
    fn from((key, totals): (LineKey, UsageTotals)) -> Self {
        Self {
            route: key.route.to_string(),
            model: key.model.map(|model| model.to_string()),
            key: key.key.map(|key| key.to_string()),
            totals,
        }
    }
}
