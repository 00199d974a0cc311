//! Predictions of quantities by action and stratum.

use std::collections::BTreeMap;

use super::accumulator::Cell;
use super::jackknife::GroupedSum;

/// Observations that the mean of the next coarser level counts as, in each mean of a finer level. One suffices for a
/// cell without observations, and biases no cell that has many.
const PRIOR_OBSERVATIONS: f64 = 1.0;

/// Means of logged quantities: of each action, of each action and coarse stratum, and of each cell, where the mean
/// of a level stands in for observations that the next finer one lacks.
pub(super) struct DirectModel<'a> {
    cells: &'a [Cell],
    /// Actions, and then actions with coarse strata.
    nodes: Vec<Node>,
    /// Coarse node of each cell.
    parents: Vec<usize>,
    prior_weight: f64,
}

#[derive(Default)]
struct Node {
    parent: Option<usize>,
    count: u64,
    weight: GroupedSum,
    quantity: GroupedSum,
}

impl<'a> DirectModel<'a> {
    pub(super) fn new(cells: &'a [Cell]) -> Self {
        let mut nodes: Vec<Node> = Vec::new();
        let mut index: BTreeMap<(u32, Option<u32>), usize> = BTreeMap::new();
        let mut node = |nodes: &mut Vec<Node>, key, parent| {
            *index.entry(key).or_insert_with(|| {
                nodes.push(Node { parent, ..Node::default() });
                nodes.len() - 1
            })
        };
        let mut parents = Vec::with_capacity(cells.len());
        for cell in cells {
            let action = node(&mut nodes, (cell.action, None), None);
            let coarse = node(&mut nodes, (cell.action, Some(cell.stratum.coarse)), Some(action));
            parents.push(coarse);
            for place in [action, coarse] {
                nodes[place].count += cell.count;
                nodes[place].weight.add_all(&cell.weight);
                nodes[place].quantity.add_all(&cell.quantity);
            }
        }
        let count: u64 = cells.iter().map(|cell| cell.count).sum();
        let weight: f64 = cells.iter().map(|cell| cell.weight.total()).sum();
        let mean_weight = if count == 0 { 1.0 } else { weight / count as f64 };
        Self { cells, nodes, parents, prior_weight: PRIOR_OBSERVATIONS * mean_weight }
    }

    /// Returns the predictions for all cells, from all groups but one.
    pub(super) fn predictions(&self, left_out: Option<usize>) -> Vec<f64> {
        let mut means: Vec<f64> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            // Parents precede their children.
            let mean = match node.parent.and_then(|parent| means.get(parent)) {
                Some(parent) => self.mean(&node.weight, &node.quantity, left_out, Some(*parent)),
                None if node.weight.is_positive_without(left_out) => {
                    self.mean(&node.weight, &node.quantity, left_out, None)
                }
                // All observations of the action are in the group that is left out.
                None => self.mean(&node.weight, &node.quantity, None, None),
            };
            means.push(mean);
        }
        let cell = |(cell, parent): (&Cell, &usize)| {
            self.mean(&cell.weight, &cell.quantity, left_out, means.get(*parent).copied())
        };
        self.cells.iter().zip(&self.parents).map(cell).collect()
    }

    fn mean(
        &self,
        weight: &GroupedSum,
        quantity: &GroupedSum,
        left_out: Option<usize>,
        parent: Option<f64>,
    ) -> f64 {
        let (weight, quantity) = (weight.without(left_out), quantity.without(left_out));
        match parent {
            Some(parent) => (quantity + self.prior_weight * parent) / (weight + self.prior_weight),
            None if weight > 0.0 => quantity / weight,
            None => 0.0,
        }
    }

    /// Returns the number of observations behind the prediction for a cell: its own, or those of the levels above.
    pub(super) fn observations(&self, place: usize) -> u64 {
        let own = self.cells.get(place).map_or(0, |cell| cell.count);
        if own > 0 {
            return own;
        }
        let coarse = self.parents.get(place).and_then(|parent| self.nodes.get(*parent));
        let action = coarse.and_then(|node| node.parent).and_then(|parent| self.nodes.get(parent));
        let counts = [coarse, action].into_iter().flatten().map(|node| node.count);
        counts.into_iter().find(|count| *count > 0).unwrap_or(0)
    }

    /// Returns whether the action of a cell was never logged.
    pub(super) fn is_unsupported(&self, place: usize) -> bool {
        self.observations(place) == 0
    }
}
