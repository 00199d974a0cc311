//! The quality of candidates at each kind of task.

use std::collections::BTreeMap;

use pointsman_sdk::{Candidate, Pattern, details};
use serde::Deserialize;

use crate::{Kind, Task};

/// The key under which a table states quality for whatever it has no own value for.
const GENERAL: &str = "general";

/// The setting `quality`: model pattern, then kind of task, then quality in 0..1.
///
/// ```toml
/// [quality."gpt-4o*"]
/// code = 0.9
/// "code/hard" = 0.7
/// general = 0.8
/// ```
///
/// `*` in a pattern stands for any characters. It is held against the candidate's
/// whole id (`backend/model`) and against the model alone; the longest pattern
/// that fits counts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Qualities(BTreeMap<Pattern, BTreeMap<String, f64>>);

/// A mistake in a table of qualities, with the names of the configuration.
pub type QualityError = String;

impl Qualities {
    /// Checks names of kinds and ranges.
    pub fn check(&self) -> Result<(), QualityError> {
        for (pattern, table) in &self.0 {
            let pattern = pattern.as_str();
            for (kind, quality) in table {
                if kind != GENERAL && !Kind::is_name(kind) {
                    let names = Task::ALL.map(Task::name).join(", ");
                    return Err(format!(
                        "setting `quality.{pattern}.{kind}`: there is no such task; there are {names}, each also \
                         with /hard, and {GENERAL}"
                    ));
                }
                if !(0.0..=1.0).contains(quality) {
                    return Err(format!("setting `quality.{pattern}.{kind}`: {quality} is not in 0..1"));
                }
            }
        }
        Ok(())
    }

    /// The quality of each candidate at a kind of task, where known. The first
    /// that is stated counts: this table for the kind, and for its task;
    /// the candidate's own `quality` table for the kind, and for its task; the
    /// `general` value of this table; the candidate's general quality.
    pub fn of_all(&self, candidates: &[Candidate], kind: Kind) -> Vec<Option<f64>> {
        candidates.iter().enumerate().map(|(index, candidate)| self.of(index, candidate, kind)).collect()
    }

    fn of(&self, index: usize, candidate: &Candidate, kind: Kind) -> Option<f64> {
        let table = self.table(&candidate.id);
        let stated = |name: &str| table.and_then(|table| table.get(name)).copied();
        let task = kind.task.name();
        stated(kind.name())
            .or_else(|| stated(task))
            .or_else(|| kind.hard.then(|| details::task_quality(index, kind.name())).flatten())
            .or_else(|| details::task_quality(index, task))
            .or_else(|| stated(GENERAL))
            .or(candidate.quality)
    }

    fn table(&self, id: &str) -> Option<&BTreeMap<String, f64>> {
        let fitting = self.0.iter().filter(|(pattern, _)| pattern.fits(id));
        fitting.max_by_key(|(pattern, _)| pattern.as_str().len()).map(|(_, table)| table)
    }
}

#[cfg(test)]
mod tests;
