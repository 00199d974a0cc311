//! Sums over all lines, in the order of the log.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use pointsman_author::comparison::decisions::Change;
use pointsman_evaluation::off_policy::{Accumulator, Choice, Observation, PropensityCheck, Stratum};
use serde::Serialize;

use super::dimension::{ClientRows, Dimension};
use super::groups::{Groups, Sum};
use super::numbers::Numbers;
use super::outcome::Outcome;
use super::pipeline::ChunkResult;
use super::ratings::Ratings;
use super::request::{Action, Client, Estimable, LineResult, Replayed};

/// Lines with errors that are shown.
const SHOWN_ERRORS: usize = 5;
/// Groups that are kept of each dimension, reasons of one kind, and transitions.
const KEPT_GROUPS: usize = 5_000;

/// Most models and plans whose outcomes are estimated.
const MAX_ACTIONS: usize = 1_024;
/// Most routes with operations and sizes that are kept apart.
const MAX_STRATA: usize = 4_096;

/// Everything that a report is made from. Its size does not depend on the number of records.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) lines: u64,
    pub(super) errors: u64,
    /// The first lines with errors: file, line and description.
    pub(super) shown_errors: Vec<(PathBuf, u64, String)>,
    pub(super) filtered: u64,
    pub(super) not_replayable: Groups<Arc<str>, Count>,
    pub(super) replayed: Count,
    pub(super) from_ms: Option<u64>,
    pub(super) to_ms: Option<u64>,
    pub(super) same: Count,
    /// Requests with the same first target or the same kind of answer.
    pub(super) same_first: Count,
    pub(super) changes: BTreeMap<Change, Count>,
    pub(super) failures: Groups<Arc<str>, Count>,
    pub(super) failed: Count,
    pub(super) refusals: Groups<Arc<str>, Count>,
    pub(super) refused: Count,
    pub(super) draws: u64,
    pub(super) hidden_draws: u64,
    pub(super) transitions: Groups<(Arc<str>, Arc<str>), Transition>,
    pub(super) dimensions: Vec<ClientRows>,
    pub(super) not_estimated: BTreeMap<&'static str, Count>,
    /// Sums for each outcome.
    pub(super) outcomes: Vec<(Outcome, Accumulator)>,
    pub(super) propensities: PropensityCheck,
    pub(super) ratings: Ratings,
    pub(super) actions: Numbers<Arc<str>>,
    strata: Numbers<(Arc<str>, Arc<str>, u32)>,
    limit: u64,
}

/// Records, and the requests that they stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Count {
    pub(super) records: u64,
    pub(super) requests: f64,
}

/// Requests whose first target or kind of answer changes in the same way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Transition {
    pub(super) count: Count,
    /// Difference of the cost with the recorded tokens, in US dollars, and the requests for which it is known.
    pub(super) cost_shift: f64,
    pub(super) priced: Count,
}

impl Count {
    pub(super) fn add(&mut self, weight: f64) {
        self.records += 1;
        self.requests += weight;
    }
}

impl Sum for Count {
    fn merge(&mut self, other: Self) {
        self.records += other.records;
        self.requests += other.requests;
    }

    fn size(&self) -> f64 {
        self.requests
    }
}

impl Sum for Transition {
    fn merge(&mut self, other: Self) {
        self.count.merge(other.count);
        self.priced.merge(other.priced);
        self.cost_shift += other.cost_shift;
    }

    fn size(&self) -> f64 {
        self.count.requests
    }
}

impl Tally {
    /// Creates sums over at most a number of replayed requests.
    pub(super) fn new(limit: u64) -> Self {
        Self {
            lines: 0,
            errors: 0,
            shown_errors: Vec::new(),
            filtered: 0,
            not_replayable: Groups::new(KEPT_GROUPS),
            replayed: Count::default(),
            from_ms: None,
            to_ms: None,
            same: Count::default(),
            same_first: Count::default(),
            changes: BTreeMap::new(),
            failures: Groups::new(KEPT_GROUPS),
            failed: Count::default(),
            refusals: Groups::new(KEPT_GROUPS),
            refused: Count::default(),
            draws: 0,
            hidden_draws: 0,
            transitions: Groups::new(KEPT_GROUPS),
            dimensions: Dimension::ALL.map(|dimension| ClientRows::new(dimension, KEPT_GROUPS)).into(),
            not_estimated: BTreeMap::new(),
            outcomes: Outcome::ALL.map(|outcome| (outcome, Accumulator::default())).into(),
            propensities: PropensityCheck::default(),
            ratings: Ratings::default(),
            actions: Numbers::new(MAX_ACTIONS),
            strata: Numbers::new(MAX_STRATA),
            limit,
        }
    }

    /// Adds the results of a chunk. Returns false when the limit is reached.
    pub(super) fn add(&mut self, files: &[PathBuf], chunk: ChunkResult) -> bool {
        for (number, line) in chunk.lines {
            if self.replayed.records >= self.limit {
                return false;
            }
            self.lines += 1;
            match line {
                LineResult::Error(text) => {
                    self.errors += 1;
                    if self.shown_errors.len() < SHOWN_ERRORS {
                        let file = files.get(chunk.file).cloned().unwrap_or_default();
                        self.shown_errors.push((file, number, text));
                    }
                }
                LineResult::Filtered => self.filtered += 1,
                LineResult::NotReplayable { reason, weight } => self.not_replayable.sum(reason).add(weight),
                LineResult::Rating { decision, score } => self.ratings.rating(decision, score),
                LineResult::Replayed(replayed) => self.request(*replayed),
            }
        }
        true
    }

    /// Completes the sums after the last line.
    pub(super) fn finish(&mut self) {
        if let Some((_, scores)) = self.outcomes.iter_mut().find(|(outcome, _)| *outcome == Outcome::Score) {
            self.ratings.finish(scores);
        }
    }

    fn request(&mut self, it: Replayed) {
        let weight = it.weight;
        self.replayed.add(weight);
        self.from_ms = Some(self.from_ms.map_or(it.at_ms, |from| from.min(it.at_ms)));
        self.to_ms = Some(self.to_ms.map_or(it.at_ms, |to| to.max(it.at_ms)));
        match it.change {
            None => self.same.add(weight),
            Some(change) => self.changes.entry(change).or_default().add(weight),
        }
        if let Some(failure) = &it.failure {
            self.failed.add(weight);
            self.failures.sum(Arc::clone(failure)).add(weight);
        }
        if let Some(refusal) = &it.refusal {
            self.refused.add(weight);
            self.refusals.sum(Arc::clone(refusal)).add(weight);
        }
        self.draws += u64::from(it.draws);
        self.hidden_draws += u64::from(it.hides_draws);
        let is_same_first = it.names.0 == it.names.1;
        let shift = it.estimable.as_ref().ok().and_then(|estimable| estimable.cost_shift);
        if is_same_first {
            self.same_first.add(weight);
        } else {
            let transition = self.transitions.sum(it.names.clone());
            transition.count.add(weight);
            if let Some(shift) = shift {
                transition.priced.add(weight);
                transition.cost_shift += weight * shift;
            }
        }
        let observations = match &it.estimable {
            Ok(estimable) => self.observations(weight, &it.client, estimable),
            Err(reason) => Err(*reason),
        };
        for rows in &mut self.dimensions {
            let row = rows.row(&it.client);
            row.add(weight, is_same_first, it.failure.is_some(), it.refusal.is_some(), shift);
            row.observe(observations.as_deref().unwrap_or_default());
        }
        match observations {
            Ok(observations) => self.estimate(it.id, &observations),
            Err(reason) => self.not_estimated.entry(reason).or_default().add(weight),
        }
    }

    /// Adds the outcomes of a request to the sums, and lets it wait for ratings.
    fn estimate(&mut self, id: u64, observations: &[(Outcome, Observation)]) {
        for (outcome, sums) in &mut self.outcomes {
            let Some((_, observation)) = observations.iter().find(|(it, _)| it == outcome) else { continue };
            match outcome {
                Outcome::Score => self.ratings.decision(id, *observation, sums),
                _ => sums.add(observation),
            }
        }
    }

    /// Returns the outcomes of a request. That of the score is 0 until there are ratings. The error is the reason why
    /// nothing can be estimated.
    fn observations(
        &mut self,
        weight: f64,
        client: &Client,
        it: &Estimable,
    ) -> Result<Vec<(Outcome, Observation)>, &'static str> {
        let names = [&it.logged, &it.target, &it.redrawn].map(|action| self.actions.number(&action.name));
        let [Some(logged), Some(target), Some(redrawn)] = names else {
            return Err("too many models");
        };
        let size = client.size.number();
        let stratum = (Arc::clone(&client.route), Arc::clone(&client.operation), size);
        let stratum = Stratum { fine: self.strata.number(&stratum).unwrap_or(u32::MAX - 1), coarse: size };
        if let Some(propensity) = it.propensity {
            let candidates = it.candidates.iter().filter_map(|name| self.actions.number(name));
            let candidates: Vec<u32> = candidates.collect();
            self.propensities.add(weight, it.cluster, (logged, propensity), candidates);
        }
        let cluster = it.cluster;
        let observation = |outcome: Outcome, value: f64| {
            let choice = |number: u32, action: &Action| match outcome {
                Outcome::Cost => Choice { action: number, offset: action.cost.0, scale: action.cost.1 },
                _ => Choice::of(number),
            };
            Observation {
                weight,
                cluster,
                stratum,
                logged: choice(logged, &it.logged),
                target: choice(target, &it.target),
                redrawn: choice(redrawn, &it.redrawn),
                propensity: it.propensity,
                outcome: value,
            }
        };
        let values =
            Outcome::AT_THE_END.iter().filter_map(|outcome| Some((*outcome, it.outcomes.get(*outcome)?)));
        let values = values.chain([(Outcome::Score, 0.0)]);
        Ok(values.map(|(outcome, value)| (outcome, observation(outcome, value))).collect())
    }
}
