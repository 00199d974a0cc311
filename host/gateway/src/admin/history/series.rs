//! Sums of the selected usage, by name and step.

use std::collections::{BTreeMap, HashMap};

use pointsman_admin_api::{History, HistoryPoint, HistorySeries, HistoryTotals, OtherSeries};
use pointsman_domain::usage_totals::UsageTotals;
use pointsman_state::UsageStep;

use super::selection::Selection;
use crate::admin::status;

/// Sums of one name: over the period, and by the start of the step.
#[derive(Clone, Debug, Default)]
struct NameSums {
    totals: UsageTotals,
    steps: BTreeMap<u64, UsageTotals>,
}

/// Sums of all selected names.
#[derive(Debug, Default)]
pub(super) struct SeriesSums {
    by_name: HashMap<Option<String>, NameSums>,
    folded: UsageTotals,
}

impl SeriesSums {
    /// Adds a step that begins at a time in seconds since 1970.
    pub(super) fn add(&mut self, selection: &Selection, at: u64, step: UsageStep) {
        let at = at - (at - selection.from) % selection.step;
        for (subject, totals) in step.lines {
            if !selection.matches(&subject) {
                continue;
            }
            let name = selection.by.name_of(&subject).map(str::to_owned);
            let sums = self.by_name.entry(name).or_default();
            sums.totals += totals;
            if selection.has_points {
                *sums.steps.entry(at).or_default() += totals;
            }
        }
        self.folded += step.folded;
    }

    /// Returns the response, without what is known of the storage alone.
    pub(super) fn into_history(self, selection: &Selection) -> History {
        let mut all = UsageTotals::default();
        let mut series: Vec<(Option<String>, NameSums)> = self.by_name.into_iter().collect();
        series.sort_by(|(name, sums), (other, others)| {
            let size = |totals: &UsageTotals| (totals.cost, totals.requests());
            size(&others.totals).cmp(&size(&sums.totals)).then_with(|| name.cmp(other))
        });
        series.iter().for_each(|(_, sums)| all += sums.totals);
        if selection.is_everything() {
            all += self.folded;
        }
        let rest = series.split_off(series.len().min(selection.limit));
        History {
            by: selection.by.as_str().to_owned(),
            from: selection.from,
            to: selection.to,
            step: selection.step,
            totals: totals(&all),
            series: series
                .into_iter()
                .map(|(name, sums)| HistorySeries {
                    name,
                    totals: totals(&sums.totals),
                    points: points(&sums),
                })
                .collect(),
            other: other(rest),
            folded: (!self.folded.is_empty()).then(|| totals(&self.folded)),
            ..History::default()
        }
    }
}

fn other(rest: Vec<(Option<String>, NameSums)>) -> Option<OtherSeries> {
    if rest.is_empty() {
        return None;
    }
    let names = rest.len() as u64;
    let mut sums = NameSums::default();
    for (_, NameSums { totals, steps }) in rest {
        sums.totals += totals;
        steps.into_iter().for_each(|(at, totals)| *sums.steps.entry(at).or_default() += totals);
    }
    Some(OtherSeries { names, totals: totals(&sums.totals), points: points(&sums) })
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

    fn history(query: HistoryQuery) -> History {
        let query =
            HistoryQuery { by: Some("key".to_owned()), from: Some(1_000_200), to: Some(1_003_200), ..query };
        let selection = Selection::of(query, 0).expect("a valid query");
        let mut sums = SeriesSums::default();
        sums.add(&selection, 1_000_200, step(&[("a", 1), ("b", 5)]));
        sums.add(&selection, 1_000_500, step(&[("a", 2), ("", 4)]));
        sums.add(&selection, 1_000_800, step(&[("a", 16), ("c", 1)]));
        sums.add(&selection, 1_000_800, UsageStep { folded: answered(100), ..step(&[("c", 2)]) });
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
}
