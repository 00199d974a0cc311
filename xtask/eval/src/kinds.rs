//! Kinds of tasks that the classifier finds in a data set, to be reviewed before its words are
//! changed.

use std::collections::BTreeMap;
use std::fmt::Write;

use pointsman_tasks::classify;

use crate::data::OutcomeRow;

/// Reports by kind of task the categories of the data set, and the mean score of each model.
pub fn report_kinds(rows: &[OutcomeRow]) -> String {
    let mut by_kind: BTreeMap<&str, Vec<&OutcomeRow>> = BTreeMap::new();
    for row in rows {
        by_kind.entry(classify(&row.request, &row.text, &row.tools).name()).or_default().push(row);
    }
    let mut text = String::new();
    for (kind, rows) in by_kind {
        let mut categories: BTreeMap<&str, usize> = BTreeMap::new();
        let mut scores: BTreeMap<&str, f64> = BTreeMap::new();
        for row in &rows {
            *categories.entry(&row.category).or_default() += 1;
            for (model, outcome) in &row.outcomes {
                *scores.entry(model).or_default() += outcome.score / rows.len() as f64;
            }
        }
        // Writing to a string does not fail.
        let _ = writeln!(text, "{kind}: {} rows {categories:?}", rows.len());
        for (model, score) in scores {
            let _ = writeln!(text, "    {score:.3} {model}");
        }
    }
    text
}
