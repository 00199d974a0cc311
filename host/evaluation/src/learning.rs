//! Learning of a router from outcomes: which model answers which request well, and what an answer costs.
//!
//! Each model's score is a ridge regression on the signs and words of a request, and on its place among the
//! kinds of requests that were seen. Where every row has the outcomes of all models, the target is the difference
//! to the model that is best on average, in which most of the noise cancels. The decision maximises predicted score
//! minus `score_per_dollar` times predicted cost; the largest such price is chosen whose loss is within the stated
//! one by leave-one-out predictions.

mod cross_validation;
mod fit;
mod matrix;
mod outcome;
mod ridge;
mod space;
mod tradeoff;

use pointsman_text_features::Router;

pub use cross_validation::Validation;
pub use outcome::{LearningData, LearningModel, LearningOutcome, LearningRow};

use crate::random::Random;

/// Most rows that are learnt from: time and memory grow with them.
pub const MAX_ROWS: usize = 50_000;
/// Fewest rows that are learnt from.
pub const MIN_ROWS: usize = 100;
/// Fewest outcomes of a model; models with fewer are left out.
pub const MIN_OUTCOMES: usize = 40;
/// Most models.
pub const MAX_MODELS: usize = 32;

/// Aims of learning.
#[derive(Clone, Copy, Debug)]
pub struct LearningOptions {
    /// Score that may be lost against the best single model.
    pub max_loss: f64,
    /// Share of the rows that the guard admits, 0..1.
    pub familiar: f64,
    /// Folds of the cross-validation; none below 2.
    pub folds: usize,
    /// Bytes of the newest user message that the features were computed from.
    pub read_bytes: usize,
}

impl Default for LearningOptions {
    fn default() -> Self {
        Self { max_loss: 0.01, familiar: 0.85, folds: 5, read_bytes: 4096 }
    }
}

/// A learnt router, with what is known about it.
#[derive(Clone, Debug)]
pub struct Learnt {
    /// The router.
    pub router: Router,
    /// Outcomes of each model of the data, by its number; `None` for a model that was left out.
    pub outcomes: Vec<Option<usize>>,
    /// Estimate on rows that were not learnt from.
    pub validation: Option<Validation>,
}

/// Data from which nothing can be learnt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LearningError {
    /// Too few rows.
    #[error("{rows} rows with an outcome, and at least {MIN_ROWS} are needed")]
    FewRows {
        /// Rows there are.
        rows: usize,
    },
    /// Too many rows.
    #[error("{rows} rows, and at most {MAX_ROWS} are learnt from")]
    ManyRows {
        /// Rows there are.
        rows: usize,
    },
    /// Too few models with enough outcomes.
    #[error("{models} models have at least {MIN_OUTCOMES} outcomes, and 2 are needed")]
    FewModels {
        /// Models there are.
        models: usize,
    },
    /// Too many models.
    #[error("{models} models, and at most {MAX_MODELS} are learnt")]
    ManyModels {
        /// Models there are.
        models: usize,
    },
}

/// Learns a router. The same data gives the same router.
///
/// # Errors
/// Declines data that are too few or too many.
pub fn learn(data: &LearningData, options: &LearningOptions) -> Result<Learnt, LearningError> {
    let counts = data.outcome_counts();
    let models = counts.iter().filter(|count| **count >= MIN_OUTCOMES).count();
    let rows = data.rows.iter().filter(|row| row.outcomes.iter().any(Option::is_some)).count();
    match () {
        () if rows < MIN_ROWS => return Err(LearningError::FewRows { rows }),
        () if data.rows.len() > MAX_ROWS => return Err(LearningError::ManyRows { rows: data.rows.len() }),
        () if models < 2 => return Err(LearningError::FewModels { models }),
        () if models > MAX_MODELS => return Err(LearningError::ManyModels { models }),
        () => {}
    }
    let usable = data.with_models(|model| counts.get(model).is_some_and(|count| *count >= MIN_OUTCOMES));
    let all: Vec<&LearningRow> = usable.rows.iter().collect();
    let router = fit::fit(&usable.models, &all, options);
    let validation = if options.folds > 1 { cross_validation::validate(&usable, options) } else { None };
    let outcomes = counts.into_iter().map(|count| (count >= MIN_OUTCOMES).then_some(count)).collect();
    Ok(Learnt { router, outcomes, validation })
}

/// Returns a generator whose numbers are the same in every run.
fn generator() -> Random {
    Random::new(0x5eed)
}

#[cfg(test)]
mod tests;
