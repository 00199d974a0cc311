//! Calibration of logged propensities.
//!
//! If propensities are true, `1 / p` of the requests for which an action was drawn sums up to the number of requests
//! for which it could be drawn. A larger sum is impossible: the stated probabilities are too small for the frequency of
//! the draws, as with 1/n for a draw that is not uniform. A smaller sum has two explanations, between which a log cannot
//! distinguish: the stated probabilities are too large, or the action had no chance in some of the requests.

use std::collections::BTreeMap;

use serde::Serialize;

use super::jackknife::{FEWEST_GROUPS, GroupedSum, Interval, group_of};

/// Most actions that are checked.
const MAX_ACTIONS: usize = 1_024;
/// Fewest draws of an action with which it is checked.
const FEWEST_DRAWS: u64 = 30;
/// Probability of a false warning, for all actions together.
const FALSE_WARNINGS: f64 = 0.01;
/// Deviation from 1 that is tolerated even where it is significant.
const TOLERANCE: f64 = 0.02;

/// Sums for the calibration of each action. Their size does not depend on the number of records.
#[derive(Clone, Debug, Default)]
pub struct PropensityCheck {
    actions: BTreeMap<u32, ActionSums>,
    records: u64,
}

#[derive(Clone, Debug, Default)]
struct ActionSums {
    draws: u64,
    /// Weights of the requests for which the action could be drawn.
    possible: GroupedSum,
    /// Weights of those for which it was drawn, divided by their propensities.
    stated: GroupedSum,
}

/// Calibration of one action.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// Number of the action.
    #[serde(skip)]
    pub action: u32,
    /// Number of draws.
    pub draws: u64,
    /// Sum of `1 / p` over the draws, divided by the number of requests in which the action was a candidate, with the
    /// interval by which faults are found.
    pub ratio: Interval,
    /// Fault of the propensities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<PropensityFault>,
}

/// Fault of propensities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PropensityFault {
    /// They cannot be true: the action is drawn more often than they say.
    TooSmall,
    /// The action is drawn less often than they say, unless it had no chance in some requests.
    TooLargeOrNoChance,
}

impl PropensityCheck {
    /// Adds a request: the action that was drawn with a probability, and all that were candidates.
    pub fn add(
        &mut self,
        weight: f64,
        cluster: u64,
        (drawn, propensity): (u32, f64),
        candidates: impl IntoIterator<Item = u32>,
    ) {
        if !(weight > 0.0 && weight.is_finite() && propensity > 0.0 && propensity <= 1.0) {
            return;
        }
        self.records += 1;
        let group = group_of(cluster);
        for action in candidates {
            let is_full = self.actions.len() >= MAX_ACTIONS;
            if is_full && !self.actions.contains_key(&action) {
                continue;
            }
            let sums = self.actions.entry(action).or_default();
            sums.possible.add(group, weight);
            if action == drawn {
                sums.draws += 1;
                sums.stated.add(group, weight / propensity);
            }
        }
    }

    /// Returns the number of requests with propensities.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Returns the calibration of the actions that were drawn often enough.
    pub fn calibrations(&self) -> Vec<Calibration> {
        let checked =
            |sums: &ActionSums| sums.draws >= FEWEST_DRAWS && sums.possible.occupied().len() >= FEWEST_GROUPS;
        let actions: Vec<_> = self.actions.iter().filter(|(_, sums)| checked(sums)).collect();
        let level = 1.0 - 2.0 * FALSE_WARNINGS / actions.len().max(1) as f64;
        actions.into_iter().map(|(action, sums)| sums.calibration(*action, level)).collect()
    }
}

impl ActionSums {
    fn calibration(&self, action: u32, level: f64) -> Calibration {
        let ratio = |left_out| self.stated.without(left_out) / self.possible.without(left_out);
        let occupied = self.possible.occupied();
        let without: Vec<f64> = occupied.into_iter().map(|group| ratio(Some(group))).collect();
        let ratio = Interval::jackknife(ratio(None), &without).at_level(level);
        let fault = if ratio.low > 1.0 && ratio.estimate > 1.0 + TOLERANCE {
            Some(PropensityFault::TooSmall)
        } else if ratio.high < 1.0 && ratio.estimate < 1.0 - TOLERANCE {
            Some(PropensityFault::TooLargeOrNoChance)
        } else {
            None
        };
        Calibration { action, draws: self.draws, ratio, fault }
    }
}
