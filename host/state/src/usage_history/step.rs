//! Sums of one step.

use std::collections::HashMap;

use pointsman_domain::usage_totals::{UsageSubject, UsageTotals};

/// Sums of one step by route, model and key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UsageStep {
    /// Sums by subject.
    pub lines: HashMap<UsageSubject, UsageTotals>,
    /// Sum of the lines that were too many to be stored apart.
    pub folded: UsageTotals,
}

impl UsageStep {
    /// Adds the sums of another step.
    pub fn add(&mut self, other: Self) {
        for (subject, totals) in other.lines {
            *self.lines.entry(subject).or_default() += totals;
        }
        self.folded += other.folded;
    }

    /// Returns the lines in descending order of cost, then of requests.
    pub(super) fn by_size(&self) -> Vec<(&UsageSubject, &UsageTotals)> {
        let mut lines: Vec<_> = self.lines.iter().collect();
        lines.sort_unstable_by(|(subject, totals), (other, others)| {
            let size = |totals: &UsageTotals| (totals.cost, totals.requests());
            size(others).cmp(&size(totals)).then_with(|| subject.cmp(other))
        });
        lines
    }
}
