//! Sums of the selected usage, by name and step.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use pointsman_admin_api::{History, HistoryPoint, HistorySeries, HistoryTotals, OtherSeries};
use pointsman_domain::usage_totals::UsageTotals;
use pointsman_state::UsageStep;

use super::selection::Selection;
use crate::admin::status;

/// Most names with sums of their own, while the most expensive ones are not known. Usage of others is
/// summed up.
const MAX_NAMES: usize = 50_000;
/// Most sums of steps, of all names together, while the most expensive ones are not known.
const MAX_STEP_SUMS: usize = 100_000;

/// Sums of one name: over the period, and by the start of the step.
#[derive(Clone, Debug, Default)]
struct NameSums {
    totals: UsageTotals,
    steps: BTreeMap<u64, UsageTotals>,
}

/// Sums of all selected names. The memory that they take is bounded: if there are too many names for
/// points, the points are read a second time, for the most expensive names alone.
#[derive(Debug)]
pub(super) struct SeriesSums {
    named: HashMap<String, NameSums>,
    /// Usage without a model or a key.
    unnamed: Option<NameSums>,
    /// Usage of names that have no sums of their own.
    rest: NameSums,
    /// Number of those names.
    rest_names: u64,
    folded: UsageTotals,
    limits: SumLimits,
    /// Number of sums of steps; `None` if there are too many, or none are wanted.
    step_sums: Option<usize>,
}

/// Limits on the sums.
#[derive(Clone, Copy, Debug)]
struct SumLimits {
    names: usize,
    step_sums: usize,
}

impl NameSums {
    fn add(&mut self, other: &Self) {
        self.totals += other.totals;
        other.steps.iter().for_each(|(at, totals)| *self.steps.entry(*at).or_default() += *totals);
    }

    /// Order by cost, then by requests, the largest first.
    fn compare(&self, other: &Self) -> Ordering {
        let size = |sums: &Self| (sums.totals.cost, sums.totals.requests());
        size(other).cmp(&size(self))
    }
}

impl SeriesSums {
    /// Creates sums for a first reading.
    pub(super) fn new(selection: &Selection) -> Self {
        Self::with_limits(selection, SumLimits { names: MAX_NAMES, step_sums: MAX_STEP_SUMS })
    }

    fn with_limits(selection: &Selection, limits: SumLimits) -> Self {
        Self {
            named: HashMap::new(),
            unnamed: None,
            rest: NameSums::default(),
            rest_names: 0,
            folded: UsageTotals::default(),
            limits,
            step_sums: selection.has_points.then_some(0),
        }
    }

    /// Returns empty sums for a second reading, of the most expensive names alone, if the first one had too
    /// many points.
    pub(super) fn for_second_reading(&self, selection: &Selection) -> Option<Self> {
        if !selection.has_points || self.step_sums.is_some() {
            return None;
        }
        let sorted = self.sorted();
        let (kept, rest) = sorted.split_at(sorted.len().min(selection.limit));
        let limits = SumLimits { names: 0, step_sums: usize::MAX };
        let mut sums = Self::with_limits(selection, limits);
        for (name, _) in kept {
            match name {
                Some(name) => drop(sums.named.insert((*name).to_owned(), NameSums::default())),
                None => sums.unnamed = Some(NameSums::default()),
            }
        }
        sums.rest_names = self.rest_names + rest.len() as u64;
        Some(sums)
    }

    /// Adds a step that begins at a time in seconds since 1970.
    pub(super) fn add(&mut self, selection: &Selection, at: u64, step: UsageStep) {
        let at = at - (at - selection.from) % selection.step;
        for (subject, totals) in &step.lines {
            if selection.matches(subject) {
                self.add_line(selection.by.name_of(subject), at, *totals);
            }
        }
        self.folded += step.folded;
    }

    fn add_line(&mut self, name: Option<&str>, at: u64, totals: UsageTotals) {
        let may_begin = self.named.len() < self.limits.names;
        let sums = match name {
            None if may_begin => self.unnamed.get_or_insert_default(),
            None => self.unnamed.as_mut().unwrap_or(&mut self.rest),
            Some(name) => {
                if may_begin && !self.named.contains_key(name) {
                    self.named.insert(name.to_owned(), NameSums::default());
                }
                self.named.get_mut(name).unwrap_or(&mut self.rest)
            }
        };
        sums.totals += totals;
        let Some(step_sums) = &mut self.step_sums else { return };
        let before = sums.steps.len();
        *sums.steps.entry(at).or_default() += totals;
        *step_sums += sums.steps.len() - before;
        if *step_sums > self.limits.step_sums {
            self.step_sums = None;
            self.named.values_mut().chain(&mut self.unnamed).for_each(|sums| sums.steps = BTreeMap::new());
            self.rest.steps = BTreeMap::new();
        }
    }

    /// Returns the names with their sums, the most expensive first.
    fn sorted(&self) -> Vec<(Option<&str>, &NameSums)> {
        let named = self.named.iter().map(|(name, sums)| (Some(name.as_str()), sums));
        let mut series: Vec<_> = named.chain(self.unnamed.iter().map(|sums| (None, sums))).collect();
        series.sort_by(|(name, sums), (other, others)| sums.compare(others).then_with(|| name.cmp(other)));
        series
    }

    /// Returns the response, without what is known of the storage alone.
    pub(super) fn into_history(self, selection: &Selection) -> History {
        let series = self.sorted();
        let mut all = self.rest.totals;
        series.iter().for_each(|(_, sums)| all += sums.totals);
        if selection.is_everything() {
            all += self.folded;
        }
        let (kept, rest) = series.split_at(series.len().min(selection.limit));
        let mut other = self.rest.clone();
        rest.iter().for_each(|(_, sums)| other.add(sums));
        let names = self.rest_names + rest.len() as u64;
        let one = |(name, sums): &(Option<&str>, &NameSums)| HistorySeries {
            name: name.map(str::to_owned),
            totals: totals(&sums.totals),
            points: points(sums),
        };
        History {
            by: selection.by.as_str().to_owned(),
            from: selection.from,
            to: selection.to,
            step: selection.step,
            totals: totals(&all),
            series: kept.iter().map(one).collect(),
            other: (names > 0 || !other.totals.is_empty()).then(|| OtherSeries {
                names,
                totals: totals(&other.totals),
                points: points(&other),
            }),
            folded: (!self.folded.is_empty()).then(|| totals(&self.folded)),
            ..History::default()
        }
    }
}

fn totals(totals: &UsageTotals) -> HistoryTotals {
    HistoryTotals {
        requests: totals.requests(),
        sums: status::sums(totals),
        mean_latency_ms: totals.mean_latency_ms(),
    }
}

fn points(sums: &NameSums) -> Vec<HistoryPoint> {
    let point = |(at, totals): (&u64, &UsageTotals)| HistoryPoint {
        at: *at,
        requests: totals.requests(),
        answered: totals.answered,
        failed: totals.failed,
        failed_by: status::causes(totals.failed_by),
        input_tokens: totals.input_tokens,
        output_tokens: totals.output_tokens,
        cost_usd: totals.cost.usd(),
        mean_latency_ms: totals.mean_latency_ms(),
    };
    sums.steps.iter().map(point).collect()
}

#[cfg(test)]
mod tests {
    use pointsman_admin_api::HistoryQuery;
    use pointsman_domain::ids::KeyName;
    use pointsman_domain::money::Picodollars;
    use pointsman_domain::usage_totals::UsageSubject;

    use super::*;

    fn answered(requests: u64) -> UsageTotals {
        let cost = Picodollars::from_usd(requests as f64);
        UsageTotals { answered: requests, cost, latency_us: 2_000 * requests, ..UsageTotals::default() }
    }

    fn step(lines: &[(&str, u64)]) -> UsageStep {
        let line = |(key, requests): &(&str, u64)| {
            let key = (!key.is_empty()).then(|| KeyName::new(*key));
            (UsageSubject { route: "auto".into(), model: None, key }, answered(*requests))
        };
        UsageStep { lines: lines.iter().map(line).collect(), ..UsageStep::default() }
    }

    fn selection(query: HistoryQuery) -> Selection {
        let query =
            HistoryQuery { by: Some("key".to_owned()), from: Some(1_000_200), to: Some(1_003_200), ..query };
        Selection::of(query, 0).expect("a valid query")
    }

    fn read(selection: &Selection, mut sums: SeriesSums) -> SeriesSums {
        sums.add(selection, 1_000_200, step(&[("a", 1), ("b", 5)]));
        sums.add(selection, 1_000_500, step(&[("a", 2), ("", 4)]));
        sums.add(selection, 1_000_800, step(&[("a", 16), ("c", 1)]));
        sums.add(selection, 1_000_800, UsageStep { folded: answered(100), ..step(&[("c", 2)]) });
        sums
    }

    fn history(query: HistoryQuery) -> History {
        let selection = selection(query);
        let sums = read(&selection, SeriesSums::new(&selection));
        assert!(sums.for_second_reading(&selection).is_none());
        sums.into_history(&selection)
    }

    #[test]
    fn series_are_sorted_by_cost_with_points_at_the_step() {
        let history = history(HistoryQuery { step: Some(600), ..HistoryQuery::default() });
        let names: Vec<_> = history.series.iter().map(|series| series.name.as_deref()).collect();
        assert_eq!(names, [Some("a"), Some("b"), None, Some("c")]);
        let points = |at: usize| -> Vec<(u64, u64)> {
            history.series[at].points.iter().map(|point| (point.at, point.requests)).collect()
        };
        assert_eq!(points(0), [(1_000_200, 3), (1_000_800, 16)]);
        assert_eq!(points(3), [(1_000_800, 3)]);
        assert_eq!((history.from, history.to, history.step), (1_000_200, 1_003_200, 600));
        assert_eq!((history.totals.requests, history.totals.mean_latency_ms), (131, Some(2.0)));
        assert!((history.series[0].totals.sums.cost_usd - 19.0).abs() < 1e-9);
        assert_eq!(history.folded.map(|folded| folded.requests), Some(100));
    }

    #[test]
    fn series_beyond_the_limit_are_summed_up() {
        let history = history(HistoryQuery { limit: Some(1), ..HistoryQuery::default() });
        let other = history.other.expect("other series");
        assert_eq!((history.series.len(), other.names, other.totals.requests), (1, 3, 12));
        let points: Vec<_> = other.points.iter().map(|point| (point.at, point.requests)).collect();
        assert_eq!(points, [(1_000_200, 5), (1_000_500, 4), (1_000_800, 3)]);
    }

    #[test]
    fn a_filter_leaves_out_what_is_not_known_to_match() {
        let history = history(HistoryQuery {
            key: Some("a".to_owned()),
            points: Some(false),
            ..HistoryQuery::default()
        });
        assert_eq!((history.series.len(), history.totals.requests, history.other), (1, 19, None));
        assert!(history.series[0].points.is_empty());
        assert_eq!(history.folded.map(|folded| folded.requests), Some(100));
    }

    #[test]
    fn with_too_many_points_the_most_expensive_names_are_read_a_second_time() {
        for (limit, is_large) in [(1, true), (2, true), (3, true), (10, true), (3, false)] {
            let selection = selection(HistoryQuery { limit: Some(limit), ..HistoryQuery::default() });
            let whole = read(&selection, SeriesSums::new(&selection)).into_history(&selection);
            let limits = SumLimits { names: 9, step_sums: if is_large { 5 } else { 7 } };
            let first = read(&selection, SeriesSums::with_limits(&selection, limits));
            let second = first.for_second_reading(&selection);
            assert_eq!(second.is_some(), is_large);
            let sums = second.map_or(first, |sums| read(&selection, sums));
            assert_eq!(sums.into_history(&selection), whole, "limit {limit}");
        }
    }

    #[test]
    fn names_beyond_the_bound_are_summed_up() {
        let selection = selection(HistoryQuery { points: Some(false), ..HistoryQuery::default() });
        let limits = SumLimits { names: 2, step_sums: 0 };
        let history = read(&selection, SeriesSums::with_limits(&selection, limits)).into_history(&selection);
        assert_eq!(history.totals.requests, 131);
        let apart: u64 = history.series.iter().map(|series| series.totals.requests).sum();
        assert_eq!(apart + history.other.map_or(0, |other| other.totals.requests), 31);
    }
}
