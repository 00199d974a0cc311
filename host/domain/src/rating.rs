//! Ratings of answers by applications.

use crate::ids::ModelId;

/// Rating of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Rating {
    /// Id of the decision.
    pub decision: String,
    /// Label of the decision.
    pub label: String,
    /// Model that answered.
    pub model: ModelId,
    /// Score from 0 (worst) to 1 (best).
    pub score: f64,
    /// Subject of the score, if the application names one.
    pub name: Option<String>,
}
