//! Strategies that a router has to beat.

use super::{GradedData, GradedRow, ModelFacts};

/// A strategy of selection: for each row, the share of each model.
#[derive(Clone, Debug, PartialEq)]
pub struct Strategy {
    /// Name in reports.
    pub name: String,
    /// Shares by row and model.
    pub shares: Vec<Vec<f64>>,
}

impl Strategy {
    /// Creates the strategy that selects one model for each row.
    pub fn of(name: impl Into<String>, models: usize, choices: impl Iterator<Item = usize>) -> Self {
        let only = |choice: usize| (0..models).map(|model| f64::from(u8::from(model == choice))).collect();
        Self { name: name.into(), shares: choices.map(only).collect() }
    }

    /// Returns the number of models that have a share of some row.
    pub fn models_used(&self) -> usize {
        let models = self.shares.first().map_or(0, Vec::len);
        let is_used =
            |model: &usize| self.shares.iter().any(|row| row.get(*model).is_some_and(|share| *share > 0.0));
        (0..models).filter(is_used).count()
    }
}

/// Share of the best model's score that a cheaper one has to reach.
const NEARLY: f64 = 0.95;

/// Returns the strategies that take one model for all requests, chosen on training rows: the cheapest, the best, the
/// cheapest with at least 95 % of the best one's score; and one that draws any with equal probability.
pub fn single_models(facts: &[ModelFacts], test: &GradedData) -> Vec<Strategy> {
    let (models, best) = (facts.len(), ModelFacts::best(facts));
    let enough = facts.get(best).map_or(0.0, |model| NEARLY * model.score);
    let cheap = |model: &ModelFacts| if model.score >= enough { model.cost } else { f64::INFINITY };
    let always = |name: &str, model: usize| {
        let id = test.models.get(model).map(String::as_str).unwrap_or_default();
        Strategy::of(format!("{name}: {id}"), models, test.rows.iter().map(|_| model))
    };
    let even = vec![1.0 / models.max(1) as f64; models];
    vec![
        always("always cheapest", super::position_of_min(facts.iter().map(|model| model.cost))),
        always("always best", best),
        always("one cheaper model", super::position_of_min(facts.iter().map(cheap))),
        Strategy { name: "random".to_owned(), shares: test.rows.iter().map(|_| even.clone()).collect() },
    ]
}

/// Returns the strategy that sends short requests to the cheapest model and long ones to the best, with the border
/// at which the rows cost what `budget` says in all. It uses no score of them.
pub fn by_length(name: &str, facts: &[ModelFacts], test: &GradedData, budget: f64) -> Strategy {
    let (cheapest, best) =
        (super::position_of_min(facts.iter().map(|model| model.cost)), ModelFacts::best(facts));
    let mut rows: Vec<&GradedRow> = test.rows.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.length));
    let mut spent: f64 = rows.iter().map(|row| row.outcome(cheapest).cost).sum();
    let mut border = usize::MAX;
    for row in &rows {
        spent += row.outcome(best).cost - row.outcome(cheapest).cost;
        if spent > budget {
            break;
        }
        border = row.length;
    }
    let choose = |row: &GradedRow| if row.length >= border { best } else { cheapest };
    Strategy::of(format!("length, at the cost of {name}"), facts.len(), test.rows.iter().map(choose))
}
