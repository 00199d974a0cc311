//! The query, checked.

use pointsman_admin_api::HistoryQuery;
use pointsman_domain::ids::{KeyName, ModelId};
use pointsman_domain::usage_totals::UsageSubject;
use pointsman_state::{HISTORY_STEP, MAX_HISTORY_STEPS};

use crate::admin::error::AdminError;
use crate::admin::query::invalid_query;

/// Longest period in seconds: 14 days, and an hour for callers whose clock is late.
const MAX_PERIOD: u64 = MAX_HISTORY_STEPS as u64 * HISTORY_STEP + 3_600;
/// Period if none is stated, in seconds.
const DEFAULT_PERIOD: u64 = 86_400;
/// Most steps of a series.
const MAX_POINTS: u64 = 500;
/// Series if no number is stated.
const DEFAULT_LIMIT: usize = 10;
/// Most series with points.
const MAX_WITH_POINTS: usize = 50;
/// Most series without points.
const MAX_WITHOUT_POINTS: usize = 1_000;

/// Member by which usage is grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GroupBy {
    Route,
    Model,
    Key,
}

/// Period, steps, names and filter of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) by: GroupBy,
    route: Option<String>,
    model: Option<String>,
    key: Option<String>,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) step: u64,
    pub(super) limit: usize,
    pub(super) has_points: bool,
}

impl GroupBy {
    const ALL: [Self; 3] = [Self::Route, Self::Model, Self::Key];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Model => "model",
            Self::Key => "key",
        }
    }

    /// Returns the name of a subject's series.
    pub(super) fn name_of(self, subject: &UsageSubject) -> Option<&str> {
        match self {
            Self::Route => Some(&subject.route),
            Self::Model => subject.model.as_ref().map(ModelId::as_str),
            Self::Key => subject.key.as_ref().map(KeyName::as_str),
        }
    }
}

impl Selection {
    /// Checks a query at a time in seconds since 1970.
    pub(super) fn of(query: HistoryQuery, now: u64) -> Result<Self, AdminError> {
        let HistoryQuery { by, route, model, key, from, to, step, limit, points } = query;
        let by = match by.as_deref() {
            None => GroupBy::Route,
            Some(by) => GroupBy::ALL.into_iter().find(|known| known.as_str() == by).ok_or_else(|| {
                wrong("by", format!("`by` is `{by}`: it has to be `route`, `model` or `key`"))
            })?,
        };
        // The end of the running step, so that it is included.
        let to = to.unwrap_or(now + 1);
        let from = from.unwrap_or(to.saturating_sub(DEFAULT_PERIOD));
        if from >= to {
            return Err(wrong("from", format!("`from` is {from}: it has to be before `to`, which is {to}")));
        }
        let from = from - from % HISTORY_STEP;
        if to - from > MAX_PERIOD {
            let message = format!("the period from {from} to {to} is longer than 14 days");
            return Err(wrong("from", message));
        }
        let has_points = points.unwrap_or(true);
        let most = if has_points { MAX_WITH_POINTS } else { MAX_WITHOUT_POINTS };
        let limit = limit.unwrap_or(if has_points { DEFAULT_LIMIT } else { MAX_WITHOUT_POINTS });
        if !(1..=most).contains(&limit) {
            let but = if has_points { "; with `points=false` up to 1,000" } else { "" };
            return Err(wrong("limit", format!("`limit` is {limit}: it has to be 1 to {most}{but}")));
        }
        let step = checked_step(step, to - from)?;
        Ok(Self { by, route, model, key, from, to, step, limit, has_points })
    }

    /// Returns whether usage is selected.
    pub(super) fn matches(&self, subject: &UsageSubject) -> bool {
        let is = |expected: &Option<String>, by: GroupBy| {
            expected.as_deref().is_none_or(|expected| by.name_of(subject) == Some(expected))
        };
        is(&self.route, GroupBy::Route) && is(&self.model, GroupBy::Model) && is(&self.key, GroupBy::Key)
    }

    /// Returns whether all usage is selected.
    pub(super) const fn is_everything(&self) -> bool {
        self.route.is_none() && self.model.is_none() && self.key.is_none()
    }
}

/// Returns the length of a step, or the shortest one for a period if none is stated.
fn checked_step(step: Option<u64>, period: u64) -> Result<u64, AdminError> {
    let shortest = period.div_ceil(MAX_POINTS).div_ceil(HISTORY_STEP) * HISTORY_STEP;
    match step {
        None => Ok(shortest),
        Some(step) if step == 0 || step % HISTORY_STEP != 0 => {
            Err(wrong("step", format!("`step` is {step}: it has to be a multiple of {HISTORY_STEP} seconds")))
        }
        Some(step) if step < shortest => {
            let message = format!(
                "`step` is {step}, which makes more than {MAX_POINTS} steps of the period: it has to be \
                 {shortest} or more"
            );
            Err(wrong("step", message))
        }
        Some(step) => Ok(step),
    }
}

fn wrong(param: &str, message: String) -> AdminError {
    invalid_query(message).param(param)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_764_572_431;

    fn of(query: HistoryQuery) -> Result<Selection, AdminError> {
        Selection::of(query, NOW)
    }

    fn period(days: u64) -> HistoryQuery {
        HistoryQuery { from: Some(NOW - days * 86_400), ..HistoryQuery::default() }
    }

    #[test]
    fn without_parameters_the_last_day_is_grouped_by_route() {
        let selection = of(HistoryQuery::default()).unwrap();
        assert_eq!((selection.by, selection.limit, selection.has_points), (GroupBy::Route, 10, true));
        assert_eq!((selection.to, selection.step), (NOW + 1, 300));
        assert_eq!(selection.from, (NOW + 1 - 86_400) / 300 * 300);
        assert!(selection.is_everything());
    }

    #[test]
    fn the_step_is_the_shortest_with_at_most_500_points() {
        for (days, step) in [(1, 300), (2, 600), (7, 1_500), (14, 2_700)] {
            let selection = of(period(days)).unwrap();
            assert_eq!(selection.step, step, "{days} days");
            assert!((selection.to - selection.from).div_ceil(step) <= MAX_POINTS);
        }
        let hour = HistoryQuery { step: Some(3_600), ..period(14) };
        assert_eq!(of(hour).unwrap().step, 3_600);
    }

    #[test]
    fn errors_name_the_parameter_and_what_is_allowed() {
        let text = |text: &str| Some(text.to_owned());
        let wrong = [
            (HistoryQuery { by: text("team"), ..HistoryQuery::default() }, "by", "`route`, `model` or `key`"),
            (HistoryQuery { from: Some(NOW + 7), ..HistoryQuery::default() }, "from", "before `to`"),
            (HistoryQuery { from: Some(0), ..HistoryQuery::default() }, "from", "14 days"),
            (period(15), "from", "14 days"),
            (HistoryQuery { step: Some(0), ..period(1) }, "step", "multiple of 300"),
            (HistoryQuery { step: Some(450), ..period(1) }, "step", "multiple of 300"),
            (HistoryQuery { step: Some(300), ..period(7) }, "step", "1500 or more"),
            (HistoryQuery { limit: Some(0), ..period(1) }, "limit", "1 to 50"),
            (HistoryQuery { limit: Some(51), ..period(1) }, "limit", "`points=false`"),
            (HistoryQuery { limit: Some(1_001), points: Some(false), ..period(1) }, "limit", "1 to 1000"),
        ];
        for (query, param, allowed) in wrong {
            let error = format!("{:?}", of(query).unwrap_err());
            assert!(error.contains(&format!("param: Some(\"{param}\")")), "{error}");
            assert!(error.contains(allowed), "{error}");
        }
    }

    #[test]
    fn a_filter_selects_by_all_its_members() {
        let subject = |model: Option<&str>, key: Option<&str>| UsageSubject {
            route: "auto".into(),
            model: model.map(ModelId::new),
            key: key.map(KeyName::new),
        };
        let query = HistoryQuery { route: Some("auto".to_owned()), key: Some("k".to_owned()), ..period(1) };
        let selection = of(query).unwrap();
        assert!(selection.matches(&subject(None, Some("k"))) && !selection.is_everything());
        assert!(!selection.matches(&subject(Some("a/chat"), Some("other"))));
        assert!(!selection.matches(&subject(Some("a/chat"), None)));
    }
}
