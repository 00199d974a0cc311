//! Sums of usage and cost since the gateway started, by route, model and key.

use std::collections::HashMap;
use std::ops::AddAssign;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pointsman_domain::history::History;
use pointsman_domain::ids::{KeyName, ModelId};
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::RequestEnd;
use pointsman_domain::usage::Usage;

/// Sums since the gateway started. The names come from the configuration, so
/// the number of lines is bounded by it.
#[derive(Debug, Default)]
pub struct Ledger {
    lines: Mutex<HashMap<LineKey, Totals>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct LineKey {
    route: Arc<str>,
    model: Option<ModelId>,
    key: Option<KeyName>,
}

/// What some requests came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// Answered requests.
    pub answered: u64,
    /// Failed requests.
    pub failed: u64,
    /// Requests whose client hung up.
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
    /// What those cost that can be compared with the baseline.
    pub compared_cost: Picodollars,
    /// What the baseline model would have charged for them.
    pub baseline_cost: Picodollars,
}

/// What all requests came to, and those of each route and each model.
#[derive(Debug, Default)]
pub struct Sums {
    /// Sum of all lines.
    pub all: Totals,
    /// Sums by route.
    pub by_route: HashMap<String, Totals>,
    /// Sums by model.
    pub by_model: HashMap<String, Totals>,
}

/// One line of the ledger, for the admin API.
#[derive(Debug)]
pub struct Line {
    /// Name of the route.
    pub route: String,
    /// Id of the model; `None` where none was called.
    pub model: Option<String>,
    /// Name of the key; `None` where no keys are configured.
    pub key: Option<String>,
    /// The sums.
    pub totals: Totals,
}

impl Ledger {
    /// Adds what became of one request: how it ended on the line of the model
    /// that answered, else of the last one that worked on it, and what was used
    /// on the line of each model that used it.
    pub fn enter(&self, history: &History) {
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

    /// All lines, in the order of their names.
    pub fn report(&self) -> Vec<Line> {
        let mut lines: Vec<_> = self.lines().iter().map(|(key, totals)| (key.clone(), *totals)).collect();
        lines.sort_by(|(a, _), (b, _)| a.cmp(b));
        lines.into_iter().map(Line::from).collect()
    }

    /// The sums of the lines.
    pub fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        let add = |to: &mut HashMap<String, Totals>, name: &str, totals: Totals| match to.get_mut(name) {
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

    fn lines(&self) -> MutexGuard<'_, HashMap<LineKey, Totals>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Totals {
    /// Requests, however they ended.
    pub fn requests(&self) -> u64 {
        self.answered + self.failed + self.cancelled
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.answered += other.answered;
        self.failed += other.failed;
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

impl From<(LineKey, Totals)> for Line {
    fn from((key, totals): (LineKey, Totals)) -> Self {
        Self {
            route: key.route.to_string(),
            model: key.model.map(|model| model.to_string()),
            key: key.key.map(|key| key.to_string()),
            totals,
        }
    }
}
