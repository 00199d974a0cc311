//! The report: what `--json` prints, and what the texts are made from.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::path::PathBuf;
use std::sync::Arc;

use pointsman_author::comparison::decisions::Change;
use pointsman_evaluation::off_policy::{
    Accumulator, Calibration, Difference, Estimates, Method, PropensityFault, Verdict, verdict,
};
use serde::Serialize;

use super::groups::{Groups, Sum};
use super::numbers::Numbers;
use super::outcome::Outcome;
use super::tally::{Count, Tally, Transition};

/// Groups of each kind that are reported. The rest is reported as one.
const SHOWN_GROUPS: usize = 20;

/// Results of a replay.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    pub(super) policy: PolicyReport,
    pub(super) log: LogReport,
    pub(super) decisions: DecisionReport,
    /// Changes by first target or kind of answer, the most frequent first.
    pub(super) transitions: Vec<TransitionReport>,
    /// Sums by route, key, operation and size.
    pub(super) groups: BTreeMap<&'static str, Vec<GroupReport>>,
    pub(super) outcomes: Vec<OutcomeReport>,
    /// Replayed requests whose outcomes are not estimated, by reason.
    pub(super) not_estimated: Vec<Counted>,
    pub(super) propensities: PropensityReport,
    pub(super) warnings: Vec<String>,
}

/// The replayed policy.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PolicyReport {
    pub(super) source: String,
    pub(super) digest: String,
    pub(super) settings: String,
}

/// Counts of the lines and records that were read.
#[derive(Clone, Debug, Serialize)]
pub(super) struct LogReport {
    pub(super) files: usize,
    pub(super) lines: u64,
    /// Records that do not meet the conditions.
    pub(super) filtered: u64,
    pub(super) replayed: Count,
    pub(super) not_replayable: Vec<Counted>,
    pub(super) line_errors: u64,
    pub(super) first_line_errors: Vec<LineError>,
    pub(super) ratings: RatingReport,
    /// Arrivals of the first and the last request, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to_ms: Option<u64>,
    /// True if the replay was interrupted, so that the rest of the log is missing.
    pub(super) interrupted: bool,
}

/// A line that could not be read.
#[derive(Clone, Debug, Serialize)]
pub(super) struct LineError {
    pub(super) file: String,
    /// Number of the line; 0 for the file as a whole.
    pub(super) line: u64,
    pub(super) error: String,
}

/// Ratings of answers.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct RatingReport {
    pub(super) joined: u64,
    pub(super) unmatched: u64,
}

/// A number of requests with its reason or kind.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Counted {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) count: Count,
}

/// Differences of decisions.
#[derive(Clone, Debug, Serialize)]
pub(super) struct DecisionReport {
    /// Decisions that are the same in everything but the reason.
    pub(super) same: Count,
    /// Decisions with the same first target or the same kind of answer.
    pub(super) same_first_choice: Count,
    /// Changes as `policy diff` classifies them, the most frequent first.
    pub(super) changes: Vec<Counted>,
    pub(super) failed: Count,
    pub(super) failures: Vec<Counted>,
    pub(super) refused: Count,
    pub(super) refusals: Vec<Counted>,
    /// Decisions that the policy drew, as it states.
    pub(super) draws: u64,
}

/// Requests whose first target or kind of answer changes in the same way.
#[derive(Clone, Debug, Serialize)]
pub(super) struct TransitionReport {
    pub(super) from: String,
    pub(super) to: String,
    #[serde(flatten)]
    pub(super) count: Count,
    /// Difference of the cost per request if the new target reads and writes as many tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cost_shift_usd: Option<f64>,
}

/// Requests of one group.
#[derive(Clone, Debug, Serialize)]
pub(super) struct GroupReport {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) count: Count,
    pub(super) changed: Count,
    pub(super) failed: Count,
    pub(super) refused: Count,
    pub(super) cost_shift_usd: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cost_usd: Option<Best>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latency_ms: Option<Best>,
}

/// The estimate to rely on.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Best {
    pub(super) method: Method,
    #[serde(flatten)]
    pub(super) estimate: Difference,
    pub(super) logged: f64,
}

/// Estimates of an outcome.
#[derive(Clone, Debug, Serialize)]
pub(super) struct OutcomeReport {
    #[serde(serialize_with = "outcome_name")]
    pub(super) outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) best: Option<Best>,
    /// Reason for which there is no estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) declined: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verdict: Option<Verdict>,
    pub(super) estimates: Estimates,
}

/// Logged propensities.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PropensityReport {
    pub(super) records: u64,
    pub(super) models: Vec<ModelPropensity>,
}

/// Calibration of a model's propensities.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ModelPropensity {
    pub(super) model: String,
    #[serde(flatten)]
    pub(super) calibration: Calibration,
}

fn outcome_name<S: serde::Serializer>(outcome: &Outcome, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(outcome.name())
}

impl Report {
    /// Makes the report from completed sums.
    pub(super) fn new(policy: PolicyReport, files: &[PathBuf], interrupted: bool, tally: Tally) -> Self {
        let outcomes = outcomes(&tally.outcomes);
        let propensities = propensities(&tally);
        let warnings = warnings(&tally, &propensities, interrupted);
        let log = LogReport {
            files: files.len(),
            lines: tally.lines,
            filtered: tally.filtered,
            replayed: tally.replayed,
            not_replayable: counted(tally.not_replayable),
            line_errors: tally.errors,
            first_line_errors: tally.shown_errors.into_iter().map(LineError::from).collect(),
            ratings: RatingReport { joined: tally.ratings.joined, unmatched: tally.ratings.unmatched },
            from_ms: tally.from_ms,
            to_ms: tally.to_ms,
            interrupted,
        };
        let decisions = DecisionReport {
            same: tally.same,
            same_first_choice: tally.same_first,
            changes: changes(tally.changes),
            failed: tally.failed,
            failures: counted(tally.failures),
            refused: tally.refused,
            refusals: counted(tally.refusals),
            draws: tally.draws,
        };
        let not_estimated = tally.not_estimated.into_iter();
        let not_estimated = not_estimated.map(|(name, count)| Counted { name: name.to_owned(), count });
        let groups = tally.dimensions.into_iter();
        let groups = groups.map(|rows| (rows.dimension.name(), group_reports(rows.groups)));
        Self {
            policy,
            log,
            decisions,
            transitions: transitions(tally.transitions),
            groups: groups.collect(),
            outcomes,
            not_estimated: not_estimated.collect(),
            propensities,
            warnings,
        }
    }

    /// Returns the share of the replayed requests with the same first choice.
    pub(super) fn agreement(&self) -> f64 {
        share(self.decisions.same_first_choice, self.log.replayed)
    }

    /// Returns the report of an outcome.
    pub(super) fn outcome(&self, outcome: Outcome) -> Option<&OutcomeReport> {
        self.outcomes.iter().find(|it| it.outcome == outcome)
    }
}

/// Returns the share of the requests.
pub(super) fn share(part: Count, whole: Count) -> f64 {
    if whole.requests > 0.0 { part.requests / whole.requests } else { 0.0 }
}

impl From<(PathBuf, u64, String)> for LineError {
    fn from((file, line, error): (PathBuf, u64, String)) -> Self {
        Self { file: file.display().to_string(), line, error }
    }
}

fn changes(counts: BTreeMap<Change, Count>) -> Vec<Counted> {
    let name = |change| serde_json::to_value(change).ok().and_then(|name| Some(name.as_str()?.to_owned()));
    let counts = counts.into_iter();
    let mut counts: Vec<Counted> =
        counts.map(|(change, count)| Counted { name: name(change).unwrap_or_default(), count }).collect();
    counts.sort_by(|a, b| b.count.requests.total_cmp(&a.count.requests));
    counts
}

/// Name of the groups that are reported as one.
fn others(joined: u64) -> String {
    format!("{joined} others")
}

/// Returns the largest groups as reports, and the others as one.
fn largest<K: Hash + Eq, S: Sum, R>(groups: Groups<K, S>, report: impl Fn(Option<K>, u64, S) -> R) -> Vec<R> {
    let (groups, rest) = groups.largest(SHOWN_GROUPS);
    let groups = groups.into_iter().map(|(name, sum)| report(Some(name), 0, sum));
    groups.chain(rest.map(|rest| report(None, rest.groups, rest.sum))).collect()
}

fn counted(groups: Groups<Arc<str>, Count>) -> Vec<Counted> {
    largest(groups, |name, joined, count| Counted {
        name: name.map_or_else(|| others(joined), |name| name.to_string()),
        count,
    })
}

fn transitions(groups: Groups<(Arc<str>, Arc<str>), Transition>) -> Vec<TransitionReport> {
    largest(groups, |names, joined, Transition { count, cost_shift, priced }| {
        let (from, to) = names
            .map_or_else(|| (others(joined), String::new()), |(from, to)| (from.to_string(), to.to_string()));
        let cost_shift_usd = (priced.requests > 0.0).then(|| cost_shift / priced.requests);
        TransitionReport { from, to, count, cost_shift_usd }
    })
}

fn group_reports(groups: Groups<Arc<str>, super::dimension::ClientRow>) -> Vec<GroupReport> {
    largest(groups, |name, joined, row| {
        let estimate = |outcome| row.sums(outcome).and_then(best);
        GroupReport {
            name: name.map_or_else(|| others(joined), |name| name.to_string()),
            count: row.count,
            changed: row.changed,
            failed: row.failed,
            refused: row.refused,
            cost_shift_usd: row.cost_shift,
            cost_usd: estimate(Outcome::Cost),
            latency_ms: estimate(Outcome::Latency),
        }
    })
}

fn best(sums: &Accumulator) -> Option<Best> {
    Best::of(&sums.estimates()).ok()
}

impl Best {
    fn of(estimates: &Estimates) -> Result<Self, String> {
        let (method, estimate) = estimates.best().map_err(|declined| declined.to_string())?;
        Ok(Self { method, estimate, logged: estimates.logged_mean })
    }

    /// Returns the difference as a share of the logged mean.
    pub(super) fn relative(&self) -> Option<f64> {
        (self.logged != 0.0).then(|| self.estimate.difference.estimate / self.logged)
    }
}

fn outcomes(sums: &[(Outcome, Accumulator)]) -> Vec<OutcomeReport> {
    let estimates: Vec<(Outcome, Estimates)> =
        sums.iter().map(|(outcome, sums)| (*outcome, sums.estimates())).collect();
    let judged = estimates.iter().filter(|(_, estimates)| estimates.best().is_ok()).count();
    let report = |(outcome, estimates): (Outcome, Estimates)| {
        let best = Best::of(&estimates);
        OutcomeReport {
            outcome,
            verdict: best.as_ref().ok().map(|best| verdict(&best.estimate, outcome.better(), judged)),
            declined: best.as_ref().err().cloned(),
            best: best.ok(),
            estimates,
        }
    };
    estimates.into_iter().map(report).collect()
}

fn propensities(tally: &Tally) -> PropensityReport {
    let name = |actions: &Numbers<Arc<str>>, number| actions.name(number).map_or("-", |name| name).to_owned();
    let model = |calibration: Calibration| ModelPropensity {
        model: name(&tally.actions, calibration.action),
        calibration,
    };
    PropensityReport {
        records: tally.propensities.records(),
        models: tally.propensities.calibrations().into_iter().map(model).collect(),
    }
}

fn warnings(tally: &Tally, propensities: &PropensityReport, interrupted: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    if interrupted {
        warnings.push("interrupted: the rest of the log is missing".to_owned());
    }
    if tally.errors > 0 {
        warnings.push(format!("{} lines could not be read", tally.errors));
    }
    for ModelPropensity { model, calibration } in &propensities.models {
        let ratio = calibration.ratio.estimate;
        match calibration.fault {
            Some(PropensityFault::TooSmall) => warnings.push(format!(
                "the logged propensities of {model} cannot be true: it was drawn {ratio:.2} times as often as they say; \
                 estimates by weights are wrong"
            )),
            Some(PropensityFault::TooLargeOrNoChance) => warnings.push(format!(
                "{model} was drawn {ratio:.2} times as often as its logged propensities say, unless it had no chance in \
                 some requests"
            )),
            None => {}
        }
    }
    if tally.hidden_draws > 0 {
        warnings.push(
            "the policy chooses by the id of the decision and states no propensity: it draws, and estimates by weights \
             assume that it does not"
                .to_owned(),
        );
    }
    warnings
}
