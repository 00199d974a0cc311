//! What was used and what it cost, by route, model and key.
//!
//! Whole answers, streams and hang-ups all end in [`Account::close`], by hand or
//! when the account is dropped, so a request that was paid for is never missing
//! here.

mod account;
mod calls;
mod plans;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pointsman_domain::ids::{KeyName, ModelId};
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::{Ending, Outcome};
use serde::Serialize;

pub(crate) use account::Account;
pub(crate) use calls::CallId;
use calls::Calls;
pub(crate) use plans::{PlanTrace, PlanTraces, TaskNote, TaskTrace};

/// Sums since the gateway started. The names come from the configuration, so
/// the number of lines is bounded by it.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    lines: Mutex<HashMap<LineKey, Totals>>,
    /// How the last plans went.
    pub(crate) plans: PlanTraces,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct LineKey {
    route: Arc<str>,
    model: Option<ModelId>,
    key: Option<KeyName>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    answered: u64,
    failed: u64,
    cancelled: u64,
    input_tokens: u64,
    output_tokens: u64,
    cost: Picodollars,
}

/// One line of the ledger, for the admin API.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    route: String,
    model: Option<String>,
    key: Option<String>,
    answered: u64,
    failed: u64,
    cancelled: u64,
    input_tokens: u64,
    output_tokens: u64,
    cost_usd: f64,
}

impl Ledger {
    /// Adds what became of one request: how it ended on the line of the model
    /// that answered, else of the last one that worked on it, and what was used
    /// on the line of each model that used it.
    fn enter(&self, route: &Arc<str>, key: Option<&KeyName>, outcome: &Outcome, calls: &Calls) {
        let line = |model: Option<ModelId>| LineKey { route: Arc::clone(route), model, key: key.cloned() };
        let mut lines = self.lines();
        let last = || calls.each().last().map(|(model, ..)| model.id.clone());
        let totals = lines.entry(line(outcome.model.clone().or_else(last))).or_default();
        match outcome.ending {
            Ending::Answered => totals.answered += 1,
            Ending::Failed => totals.failed += 1,
            Ending::Cancelled => totals.cancelled += 1,
        }
        for (model, usage, cost) in calls.each() {
            let totals = lines.entry(line(Some(model.id.clone()))).or_default();
            totals.input_tokens += usage.input_tokens;
            totals.output_tokens += usage.output_tokens;
            totals.cost += cost;
        }
    }

    /// All lines, in the order of their names.
    pub(crate) fn report(&self) -> Vec<Line> {
        let mut lines: Vec<_> = self.lines().iter().map(|(key, totals)| (key.clone(), *totals)).collect();
        lines.sort_by(|(a, _), (b, _)| a.cmp(b));
        lines.into_iter().map(Line::from).collect()
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<LineKey, Totals>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<(LineKey, Totals)> for Line {
    fn from((key, totals): (LineKey, Totals)) -> Self {
        Self {
            route: key.route.to_string(),
            model: key.model.map(|model| model.to_string()),
            key: key.key.map(|key| key.to_string()),
            answered: totals.answered,
            failed: totals.failed,
            cancelled: totals.cancelled,
            input_tokens: totals.input_tokens,
            output_tokens: totals.output_tokens,
            cost_usd: totals.cost.usd(),
        }
    }
}
