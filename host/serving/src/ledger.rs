//! Sums of usage and cost since the gateway started, by route, model and key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pointsman_domain::history::History;
use pointsman_domain::ids::{KeyName, ModelId};
use pointsman_domain::outcome::RequestEnd;
use pointsman_domain::usage::Usage;
use pointsman_domain::usage_totals::{UsageSubject, UsageTotals};

/// Most lines. Routes and models come from the configuration; keys may be created and deleted without end.
const MAX_LINES: usize = 50_000;
/// Key of the requests that find no line of their own; no key has such a name.
const OTHER_KEYS: &str = "(other keys)";

/// Sums since the gateway started, in at most 50,000 lines. Requests with keys beyond that share the lines of one
/// name.
#[derive(Debug, Default)]
pub struct Ledger {
    lines: Mutex<HashMap<UsageSubject, UsageTotals>>,
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
        let line = |model: Option<&ModelId>| UsageSubject {
            route: Arc::clone(&history.route),
            model: model.cloned(),
            key: history.request.tenant.clone(),
        };
        let mut lines = self.lock();
        let totals = line_totals(&mut lines, line(history.last_model()));
        match history.outcome.ending {
            RequestEnd::Answered => {
                totals.answered += 1;
                totals.latency_us += history.outcome.latency.as_micros() as u64;
            }
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
            let totals = line_totals(&mut lines, line(Some(&call.model.id)));
            totals.input_tokens += call.usage.input_tokens;
            totals.cached_input_tokens += call.usage.cached_input_tokens;
            totals.output_tokens += call.usage.output_tokens;
            totals.reasoning_tokens += call.usage.reasoning_tokens;
            totals.cost += call.cost();
        }
    }

    /// Returns a copy of all lines.
    pub fn lines(&self) -> HashMap<UsageSubject, UsageTotals> {
        self.lock().clone()
    }

    /// Returns all lines, sorted by name.
    pub fn report(&self) -> Vec<LedgerLine> {
        let mut lines: Vec<_> = self.lock().iter().map(|(key, totals)| (key.clone(), *totals)).collect();
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
        for (key, totals) in self.lock().iter() {
            sums.all += *totals;
            add(&mut sums.by_route, &key.route, *totals);
            if let Some(model) = &key.model {
                add(&mut sums.by_model, model.as_str(), *totals);
            }
        }
        sums
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UsageSubject, UsageTotals>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the totals of a line, or, if there is no room for another one, of the line of the other keys.
fn line_totals(lines: &mut HashMap<UsageSubject, UsageTotals>, line: UsageSubject) -> &mut UsageTotals {
    let has_room = lines.len() < MAX_LINES || lines.contains_key(&line);
    let line = match has_room {
        true => line,
        false => UsageSubject { key: line.key.map(|_| KeyName::new(OTHER_KEYS)), ..line },
    };
    lines.entry(line).or_default()
}

impl From<(UsageSubject, UsageTotals)> for LedgerLine {
    fn from((key, totals): (UsageSubject, UsageTotals)) -> Self {
        Self {
            route: key.route.to_string(),
            model: key.model.map(|model| model.to_string()),
            key: key.key.map(|key| key.to_string()),
            totals,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_beyond_the_most_lines_share_one() {
        let line =
            |name: &str| UsageSubject { route: "main".into(), model: None, key: Some(KeyName::new(name)) };
        let mut lines = HashMap::new();
        for number in 0..MAX_LINES + 10 {
            line_totals(&mut lines, line(&format!("key-{number}"))).answered += 1;
        }
        line_totals(&mut lines, line("key-0")).answered += 1;
        assert_eq!(lines.len(), MAX_LINES + 1);
        assert_eq!((lines[&line("key-0")].answered, lines[&line(OTHER_KEYS)].answered), (2, 10));
    }
}
