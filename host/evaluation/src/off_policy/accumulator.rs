//! Sums over the observations of one outcome.

use std::collections::HashMap;

use super::jackknife::{GroupedSum, group_of};

/// Most cells of actions and strata that are kept apart without another bound.
const MAX_CELLS: usize = 4_096;

/// Requests that are assumed to be alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stratum {
    /// Number of the stratum, such as one for each route, operation and size.
    pub fine: u32,
    /// Number of a coarser one that contains it, such as one for each size.
    pub coarse: u32,
}

/// An action that was or could be taken, such as a call of a model.
///
/// Its outcome is `offset + scale × quantity`, where the quantity is what the direct model predicts: the cost of a call
/// is the price of its input plus the price of an output token times the number of output tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Choice {
    /// Number of the action.
    pub action: u32,
    /// Part of the outcome that is known.
    pub offset: f64,
    /// Outcome per unit of the quantity. With 0 the outcome is known.
    pub scale: f64,
}

impl Choice {
    /// Returns a choice whose outcome itself is predicted.
    pub const fn of(action: u32) -> Self {
        Self { action, offset: 0.0, scale: 1.0 }
    }
}

/// A logged request with the choice of another policy for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// Number of requests that the record stands for.
    pub weight: f64,
    /// Cluster of dependent requests, such as a hash of the session.
    pub cluster: u64,
    /// Stratum.
    pub stratum: Stratum,
    /// Logged choice.
    pub logged: Choice,
    /// Choice of the other policy.
    pub target: Choice,
    /// Choice of the other policy in a draw that is independent of the logged one; for a policy that does not draw,
    /// the target. If both policies drew from the same random number, weights would be wrong.
    pub redrawn: Choice,
    /// Probability with which the logged choice was made, in (0, 1], if it is known.
    pub propensity: Option<f64>,
    /// Outcome of the logged choice.
    pub outcome: f64,
}

/// Sums over all observations, by group.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    pub(super) weight: GroupedSum,
    pub(super) outcome: GroupedSum,
    /// Known part of the direct difference.
    pub(super) direct: GroupedSum,
    /// Weights and outcomes of the observations with propensities.
    pub(super) propensity_weight: GroupedSum,
    pub(super) propensity_outcome: GroupedSum,
    /// Known part of the doubly robust value.
    pub(super) robust: GroupedSum,
    /// Inverse propensities of the observations for which both chose the same, and those times the outcomes.
    pub(super) matched: GroupedSum,
    pub(super) matched_outcome: GroupedSum,
}

/// Sums over the observations of one action in one stratum.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    pub(super) action: u32,
    pub(super) stratum: Stratum,
    /// Number of logged observations whose outcome depends on the quantity.
    pub(super) count: u64,
    /// Weights and quantities of logged observations.
    pub(super) weight: GroupedSum,
    pub(super) quantity: GroupedSum,
    /// Factor of the cell's mean in the direct difference and in the doubly robust value.
    pub(super) direct: GroupedSum,
    pub(super) robust: GroupedSum,
    /// Observations whose choice changes to this action, and the sum of their scales.
    pub(super) target_weight: f64,
    pub(super) target_scale: f64,
}

/// Sums over the observations of one outcome, such as the cost. Its size does not depend on their number.
#[derive(Clone, Debug)]
pub struct Accumulator {
    max_cells: usize,
    pub(super) records: u64,
    pub(super) sums: Sums,
    pub(super) same_weight: f64,
    pub(super) matched_squares: f64,
    pub(super) cells: Vec<Cell>,
    index: HashMap<(u32, Stratum), usize>,
}

impl Default for Accumulator {
    fn default() -> Self {
        Self::with_cells(MAX_CELLS)
    }
}

impl Accumulator {
    /// Creates empty sums with at most this many cells of actions and strata, of some 2 KB each. Further strata are
    /// only kept apart by their coarse numbers.
    pub fn with_cells(max_cells: usize) -> Self {
        Self {
            max_cells,
            records: 0,
            sums: Sums::default(),
            same_weight: 0.0,
            matched_squares: 0.0,
            cells: Vec::new(),
            index: HashMap::new(),
        }
    }

    /// Adds an observation. One whose weight or outcome is not finite is ignored, and so is a propensity outside
    /// (0, 1].
    pub fn add(&mut self, it: &Observation) {
        if !(it.weight > 0.0 && it.weight.is_finite() && it.outcome.is_finite()) {
            return;
        }
        let group = group_of(it.cluster);
        self.records += 1;
        self.sums.weight.add(group, it.weight);
        self.sums.outcome.add(group, it.weight * it.outcome);
        self.train(group, it);
        if it.target.action == it.logged.action {
            self.same_weight += it.weight;
        } else {
            self.add_change(group, it);
        }
        if let Some(propensity) = it.propensity.filter(|it| *it > 0.0 && *it <= 1.0) {
            self.add_weighted(group, it, propensity);
        }
    }

    fn train(&mut self, group: usize, it: &Observation) {
        let cell = self.cell(it.logged.action, it.stratum);
        if it.logged.scale != 0.0 {
            cell.count += 1;
            cell.weight.add(group, it.weight);
            cell.quantity.add(group, it.weight * (it.outcome - it.logged.offset) / it.logged.scale);
        }
    }

    fn add_change(&mut self, group: usize, it: &Observation) {
        self.sums.direct.add(group, it.weight * (it.target.offset - it.logged.offset));
        let cell = self.cell(it.target.action, it.stratum);
        cell.direct.add(group, it.weight * it.target.scale);
        if it.target.scale != 0.0 {
            cell.target_weight += it.weight;
            cell.target_scale += it.weight * it.target.scale.abs();
        }
        self.cell(it.logged.action, it.stratum).direct.add(group, -it.weight * it.logged.scale);
    }

    fn add_weighted(&mut self, group: usize, it: &Observation, propensity: f64) {
        let is_same = it.redrawn.action == it.logged.action;
        let matched = if is_same { it.weight / propensity } else { 0.0 };
        self.sums.propensity_weight.add(group, it.weight);
        self.sums.propensity_outcome.add(group, it.weight * it.outcome);
        self.sums
            .robust
            .add(group, it.weight * it.redrawn.offset + matched * (it.outcome - it.logged.offset));
        self.sums.matched.add(group, matched);
        self.sums.matched_outcome.add(group, matched * it.outcome);
        self.matched_squares += matched * matched;
        self.cell(it.redrawn.action, it.stratum).robust.add(group, it.weight * it.redrawn.scale);
        self.cell(it.logged.action, it.stratum).robust.add(group, -matched * it.logged.scale);
    }

    /// Returns the cell of an action and a stratum. Beyond the bound, strata are only kept apart by their coarse number.
    fn cell(&mut self, action: u32, stratum: Stratum) -> &mut Cell {
        let is_new = !self.index.contains_key(&(action, stratum));
        let stratum = if is_new && self.cells.len() >= self.max_cells {
            Stratum { fine: u32::MAX, coarse: stratum.coarse }
        } else {
            stratum
        };
        let cells = &mut self.cells;
        let place = *self.index.entry((action, stratum)).or_insert_with(|| {
            cells.push(Cell { action, stratum, ..Cell::default() });
            cells.len() - 1
        });
        &mut self.cells[place]
    }

    /// Returns the number of observations.
    pub fn records(&self) -> u64 {
        self.records
    }
}
