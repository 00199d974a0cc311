//! Rows that are learnt from.

use pointsman_text_features::SparseVector;

/// Requests with outcomes of models.
#[derive(Clone, Debug, Default)]
pub struct LearningData {
    /// Models.
    pub models: Vec<LearningModel>,
    /// Requests.
    pub rows: Vec<LearningRow>,
}

/// A model that answered.
#[derive(Clone, Debug, PartialEq)]
pub struct LearningModel {
    /// Name.
    pub name: String,
    /// US dollars per million tokens of the request.
    pub input_price: f64,
    /// US dollars per million tokens of the answer.
    pub output_price: f64,
}

/// A request with the outcomes that are known.
#[derive(Clone, Debug)]
pub struct LearningRow {
    /// Features.
    pub vector: SparseVector,
    /// Tokens of the request, as the gateway estimates them.
    pub input_tokens: f64,
    /// Outcome of each model, where it is known.
    pub outcomes: Vec<Option<LearningOutcome>>,
}

/// Outcome of a request with one model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearningOutcome {
    /// Quality of the answer, 0..1.
    pub score: f64,
    /// Tokens of the answer, if known.
    pub output_tokens: Option<f64>,
    /// Cost in US dollars.
    pub cost: f64,
    /// Inverse of the probability with which the outcome was observed; `None` if it is unknown. 1 where the
    /// outcomes of all models are known.
    pub weight: Option<f64>,
}

impl LearningData {
    /// Returns the number of outcomes of each model.
    pub fn outcome_counts(&self) -> Vec<usize> {
        let of = |model: usize| self.rows.iter().filter(|row| row.outcome(model).is_some()).count();
        (0..self.models.len()).map(of).collect()
    }

    /// Returns the data of some models, without rows that have no outcome of them.
    pub(super) fn with_models(&self, keep: impl Fn(usize) -> bool) -> Self {
        let models: Vec<usize> = (0..self.models.len()).filter(|model| keep(*model)).collect();
        let rows = self.rows.iter().map(|row| LearningRow {
            outcomes: models.iter().map(|model| row.outcome(*model)).collect(),
            ..row.clone()
        });
        Self {
            models: models.iter().filter_map(|model| self.models.get(*model).cloned()).collect(),
            rows: rows.filter(|row| row.outcomes.iter().any(Option::is_some)).collect(),
        }
    }
}

impl LearningRow {
    /// Returns the outcome of a model, if it is known.
    pub(super) fn outcome(&self, model: usize) -> Option<LearningOutcome> {
        self.outcomes.get(model).copied().flatten()
    }
}

impl LearningModel {
    /// Returns the predicted cost of a request in US dollars.
    pub(super) fn cost(&self, row: &LearningRow, output_tokens: f64) -> f64 {
        (row.input_tokens * self.input_price + output_tokens * self.output_price) / 1e6
    }
}
