//! Sums by client: route, key, operation and size.

use std::sync::Arc;

use pointsman_evaluation::off_policy::{Accumulator, Observation};

use super::groups::{Groups, Sum};
use super::outcome::Outcome;
use super::request::Client;
use super::tally::Count;

/// A property of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dimension {
    Route,
    Key,
    Operation,
    Size,
}

impl Dimension {
    pub(super) const ALL: [Self; 4] = [Self::Route, Self::Key, Self::Operation, Self::Size];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Key => "key",
            Self::Operation => "operation",
            Self::Size => "size",
        }
    }

    /// Returns the group of a request.
    pub(super) fn of(self, client: &Client) -> Arc<str> {
        match self {
            Self::Route => Arc::clone(&client.route),
            Self::Key => Arc::clone(&client.key),
            Self::Operation => Arc::clone(&client.operation),
            Self::Size => Arc::clone(&client.size_name),
        }
    }
}

/// Groups of a dimension whose outcomes are estimated: the first ones of the log.
const ESTIMATED_GROUPS: usize = 32;
/// Most cells of the direct model of one group.
const CELLS: usize = 256;

/// Requests of one group.
#[derive(Clone, Debug, Default)]
pub(super) struct ClientRow {
    pub(super) count: Count,
    /// Requests whose first target or kind of answer changes.
    pub(super) changed: Count,
    pub(super) failed: Count,
    pub(super) refused: Count,
    /// Difference of the cost with the recorded tokens, in US dollars.
    pub(super) cost_shift: f64,
    /// Sums of the outcomes by which groups are compared.
    estimates: Option<Box<[(Outcome, Accumulator); 2]>>,
}

impl ClientRow {
    pub(super) fn add(&mut self, weight: f64, is_same: bool, fails: bool, refuses: bool, shift: Option<f64>) {
        self.count.add(weight);
        for (applies, count) in
            [(!is_same, &mut self.changed), (fails, &mut self.failed), (refuses, &mut self.refused)]
        {
            if applies {
                count.add(weight);
            }
        }
        self.cost_shift += weight * shift.unwrap_or(0.0);
    }

    /// Adds the outcomes of a request to the sums by which groups are compared, if this group has them.
    pub(super) fn observe(&mut self, observations: &[(Outcome, Observation)]) {
        for (outcome, sums) in self.estimates.iter_mut().flat_map(|sums| sums.iter_mut()) {
            if let Some((_, observation)) = observations.iter().find(|(it, _)| it == outcome) {
                sums.add(observation);
            }
        }
    }

    /// Starts the sums of outcomes.
    fn estimate(&mut self) {
        let sums = || Accumulator::with_cells(CELLS);
        self.estimates = Some(Box::new([Outcome::Cost, Outcome::Latency].map(|outcome| (outcome, sums()))));
    }

    /// Returns the sums of an outcome, if there are any.
    pub(super) fn sums(&self, outcome: Outcome) -> Option<&Accumulator> {
        self.estimates.as_ref()?.iter().find(|(it, _)| *it == outcome).map(|(_, sums)| sums)
    }
}

/// Groups of one dimension.
#[derive(Debug)]
pub(super) struct ClientRows {
    pub(super) dimension: Dimension,
    pub(super) groups: Groups<Arc<str>, ClientRow>,
    estimated: usize,
}

impl ClientRows {
    /// Creates sums that are kept for at most twice as many groups.
    pub(super) fn new(dimension: Dimension, most: usize) -> Self {
        Self { dimension, groups: Groups::new(most), estimated: 0 }
    }

    /// Returns the row of a client.
    pub(super) fn row(&mut self, client: &Client) -> &mut ClientRow {
        let row = self.groups.sum(self.dimension.of(client));
        if row.count.records == 0 && self.estimated < ESTIMATED_GROUPS {
            self.estimated += 1;
            row.estimate();
        }
        row
    }
}

impl Sum for ClientRow {
    /// Adds the counts. Others have no estimates.
    fn merge(&mut self, other: Self) {
        self.count.merge(other.count);
        self.changed.merge(other.changed);
        self.failed.merge(other.failed);
        self.refused.merge(other.refused);
        self.cost_shift += other.cost_shift;
    }

    fn size(&self) -> f64 {
        self.count.requests
    }
}
