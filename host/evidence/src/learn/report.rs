//! The report of learning.

use pointsman_evaluation::learning::{Learnt, MIN_OUTCOMES, Validation};
use pointsman_terminal::TextTable;
use serde::Serialize;
use serde_json::{Value, json};

use super::Source;

/// Report on what was learnt, and from which data.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    rows: usize,
    is_log: bool,
    answers_missing: bool,
    models: Vec<ModelLine>,
    score_per_dollar: f64,
    settings_bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<Value>,
    #[serde(skip)]
    estimate: Option<Validation>,
    left_out: Vec<(String, u64)>,
}

/// Line of a model.
#[derive(Debug, Serialize)]
struct ModelLine {
    model: String,
    /// Outcomes that were learnt from; none for a model that was left out.
    outcomes: Option<usize>,
    mean_score: Option<f64>,
    output_tokens: Option<f64>,
}

impl Report {
    pub(super) fn new(source: &Source, learnt: &Learnt, settings_bytes: usize) -> Self {
        let line = |(model, outcomes): (&pointsman_evaluation::learning::LearningModel, &Option<usize>)| {
            let routed = learnt.router.models.iter().find(|routed| routed.model == model.name);
            ModelLine {
                model: model.name.clone(),
                outcomes: *outcomes,
                mean_score: routed.map(|model| model.mean),
                output_tokens: routed.map(|model| model.output_tokens),
            }
        };
        let estimate = learnt.validation;
        let validation = estimate.map(|it| {
            json!({"rows": it.rows, "saved": it.saved, "difference": it.difference, "unfamiliar": it.unfamiliar})
        });
        Self {
            rows: source.data.rows.len(),
            is_log: source.is_log,
            answers_missing: !source.answers_known,
            models: source.data.models.iter().zip(&learnt.outcomes).map(line).collect(),
            score_per_dollar: learnt.router.score_per_dollar,
            settings_bytes,
            validation,
            estimate,
            left_out: source.left_out.clone(),
        }
    }

    /// Renders the report for people.
    pub(super) fn text(&self, path: &str) -> String {
        let mut table = TextTable::new(&["model", "outcomes", "mean score", "answer tokens"]);
        for line in &self.models {
            let number = |value: Option<f64>, digits: usize| {
                value.map_or("–".to_owned(), |value| format!("{value:.digits$}"))
            };
            let outcomes = line
                .outcomes
                .map_or(format!("fewer than {MIN_OUTCOMES}: left out"), |count| count.to_string());
            table.add(vec![
                line.model.clone(),
                outcomes,
                number(line.mean_score, 3),
                number(line.output_tokens, 0),
            ]);
        }
        let kilobytes = self.settings_bytes as f64 / 1000.0;
        let mut notes = vec![format!(
            "Wrote {path} ({kilobytes:.0} KB): policy `builtin:learned`, grant `prompt`; a US dollar has to bring a score \
             of {:.0}.",
            self.score_per_dollar
        )];
        match &self.estimate {
            Some(it) => notes.push(format!(
                "Cross-validation on {} rows: saves {:.1} % [{:.1}, {:.1}] against the best model, score {:+.4} [{:+.4}, \
                 {:+.4}]; the guard sends {:.1} % to the best model.",
                it.rows,
                100.0 * it.saved.value,
                100.0 * it.saved.low,
                100.0 * it.saved.high,
                it.difference.value,
                it.difference.low,
                it.difference.high,
                100.0 * it.unfamiliar
            )),
            None if self.is_log => notes.push(
                "A log has the outcome of one model for each request, so there is no cross-validation: shadow the policy \
                 before it serves."
                    .to_owned(),
            ),
            None => {}
        }
        if self.answers_missing {
            notes.push(
                "Costs are without answers, whose tokens the data do not have: give --answer-tokens."
                    .to_owned(),
            );
        }
        let left_out = left_out(&self.left_out);
        if !left_out.is_empty() {
            notes.push(left_out);
        }
        format!("{} rows\n\n{}", self.rows, table.render(notes))
    }
}

/// Renders the reasons for which records were left out; nothing if none were.
pub(super) fn left_out(reasons: &[(String, u64)]) -> String {
    let each: Vec<String> = reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    if each.is_empty() { String::new() } else { format!("Records left out: {}.", each.join("; ")) }
}
