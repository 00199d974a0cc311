//! The kinds of answers that cases lead to.

use std::collections::BTreeMap;

use serde::Serialize;

use super::CaseResult;

/// Numbers of cases by what the policy answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Coverage {
    /// Cases by label, labels of steps in between included.
    pub(super) labels: BTreeMap<String, usize>,
    /// Cases by kind of refusal.
    pub(super) refusals: BTreeMap<String, usize>,
    /// Cases by kind of failure; `settings` for rejected settings.
    pub(super) failures: BTreeMap<String, usize>,
}

impl Coverage {
    pub(super) fn of(results: &[CaseResult]) -> Self {
        let mut coverage = Self::default();
        for observed in results.iter().flat_map(|result| &result.observed) {
            if let Some(label) = &observed.label {
                *coverage.labels.entry(label.clone()).or_default() += 1;
            }
            if let Some(problem) = &observed.problem {
                let counts =
                    if observed.kind == "refusal" { &mut coverage.refusals } else { &mut coverage.failures };
                *counts.entry(problem.kind.clone()).or_default() += 1;
            }
        }
        coverage
    }
}
