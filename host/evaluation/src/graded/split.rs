//! Splits into rows to learn from and rows to report on, without the same request on both sides.

use std::collections::BTreeSet;

use super::{GradedData, GradedRow};

/// Rows to learn from, and rows to report on.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// Rows to learn from.
    pub train: GradedData,
    /// Rows to report on.
    pub test: GradedData,
    /// Number of rows.
    pub counts: SplitCounts,
}

/// Number of rows of a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SplitCounts {
    /// Rows to learn from.
    pub train: usize,
    /// Rows to report on.
    pub test: usize,
    /// Rows that were to be reported on and are left out, because the same request is learnt from.
    pub leaks: usize,
}

/// Splits rows in halves by a hash of their messages, so that equal requests are in the same half, and a request
/// is in the same half whatever other rows there are.
pub fn halves(data: &GradedData) -> Split {
    let (train, test) = data.rows.iter().cloned().partition(is_learnt_from);
    split(data, train, test, 0)
}

/// Returns true for a row of the half to learn from.
fn is_learnt_from(row: &GradedRow) -> bool {
    // The high bits of the hash's product with the golden ratio are mixed best.
    (row.prompt.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63) == 0
}

/// Combines files for learning and reporting. Rows to report on whose request is among those to learn from are
/// left out, and counted.
pub fn without_leaks(train: GradedData, test: &GradedData) -> Split {
    let known: BTreeSet<u64> = train.rows.iter().map(|row| row.prompt).collect();
    let kept: Vec<GradedRow> = test.rows.iter().filter(|row| !known.contains(&row.prompt)).cloned().collect();
    let leaks = test.rows.len() - kept.len();
    split(test, train.rows, kept, leaks)
}

fn split(data: &GradedData, train: Vec<GradedRow>, test: Vec<GradedRow>, leaks: usize) -> Split {
    let counts = SplitCounts { train: train.len(), test: test.len(), leaks };
    let of = |rows| GradedData { models: data.models.clone(), rows };
    Split { train: of(train), test: of(test), counts }
}
