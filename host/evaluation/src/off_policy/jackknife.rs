//! Variance of estimates by leaving out groups.

use serde::Serialize;

use super::quantile;

/// Number of groups of clusters.
pub const GROUPS: usize = 64;
/// Fewest groups with observations for which an interval is computed.
pub(super) const FEWEST_GROUPS: usize = 10;
/// Level of the intervals.
const LEVEL: f64 = 0.95;

/// A sum for each group.
#[derive(Clone, Debug)]
pub(super) struct GroupedSum {
    groups: [f64; GROUPS],
    total: f64,
}

impl Default for GroupedSum {
    fn default() -> Self {
        Self { groups: [0.0; GROUPS], total: 0.0 }
    }
}

impl GroupedSum {
    pub(super) fn add(&mut self, group: usize, value: f64) {
        if let Some(sum) = self.groups.get_mut(group) {
            *sum += value;
            self.total += value;
        }
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        for (sum, value) in self.groups.iter_mut().zip(&other.groups) {
            *sum += value;
        }
        self.total += other.total;
    }

    /// Returns the sum of all groups but one.
    pub(super) fn without(&self, left_out: Option<usize>) -> f64 {
        self.total - left_out.and_then(|group| self.groups.get(group)).copied().unwrap_or(0.0)
    }

    /// Returns whether all groups but one have a sum above 0, beyond rounding.
    pub(super) fn is_positive_without(&self, left_out: Option<usize>) -> bool {
        self.without(left_out) > 1e-9 * self.total.abs()
    }

    pub(super) fn total(&self) -> f64 {
        self.total
    }

    /// Returns the groups whose sum is not 0.
    pub(super) fn occupied(&self) -> Vec<usize> {
        let is_occupied = |(_, sum): &(usize, &f64)| **sum != 0.0;
        self.groups.iter().enumerate().filter(is_occupied).map(|(group, _)| group).collect()
    }
}

/// Returns the group of a cluster.
pub(super) fn group_of(cluster: u64) -> usize {
    // Names of clusters may be any numbers: they are mixed as by SplitMix64.
    crate::random::Random::new(cluster).below(GROUPS)
}

/// An estimate with its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The estimate.
    pub estimate: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
    /// Degrees of freedom of the interval: groups with observations, less one.
    pub degrees: u32,
}

impl Interval {
    /// Computes the interval of an estimate from its values without each of the groups.
    pub(super) fn jackknife(estimate: f64, without: &[f64]) -> Self {
        let groups = without.len() as f64;
        let degrees = without.len().saturating_sub(1) as u32;
        let mean = without.iter().sum::<f64>() / groups;
        let squares: f64 = without.iter().map(|value| (value - mean).powi(2)).sum();
        let standard_error = (squares * (groups - 1.0) / groups).sqrt();
        Self { estimate, standard_error, low: estimate, high: estimate, degrees }.at_level(LEVEL)
    }

    /// Returns an estimate that is known.
    pub(super) fn exact(estimate: f64) -> Self {
        Self { estimate, standard_error: 0.0, low: estimate, high: estimate, degrees: 0 }
    }

    /// Returns the interval of another level, such as 0.99.
    #[must_use]
    pub fn at_level(self, level: f64) -> Self {
        if self.standard_error == 0.0 {
            return Self { low: self.estimate, high: self.estimate, ..self };
        }
        let reach = quantile::student(0.5 + level / 2.0, f64::from(self.degrees)) * self.standard_error;
        Self { low: self.estimate - reach, high: self.estimate + reach, ..self }
    }
}
