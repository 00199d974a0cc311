//! Baselines that a policy has to beat.

use crate::data::OutcomeRow;
use crate::fleet::Fleet;

/// Strategy of selection: for each test row, the share of each candidate. All but `random` and
/// `oracle` give one candidate the whole share without knowledge of outcomes.
#[derive(Clone, Debug)]
pub struct Strategy {
    /// Name in reports.
    pub name: String,
    /// Shares by row and candidate.
    pub shares: Vec<Vec<f64>>,
}

impl Strategy {
    /// Returns the strategy that selects one candidate for each row.
    pub fn of(name: &str, candidates: usize, choices: impl Iterator<Item = usize>) -> Self {
        let only =
            |choice: usize| (0..candidates).map(|index| f64::from(u8::from(index == choice))).collect();
        Self { name: name.to_owned(), shares: choices.map(only).collect() }
    }
}

/// Returns the baselines: always the cheapest model, always the best, a random one, and the
/// oracle, which takes the cheapest of the best answers and so bounds the possible.
pub fn baselines(fleet: &Fleet, train: &[OutcomeRow], test: &[OutcomeRow]) -> Vec<Strategy> {
    let all = fleet.candidates.len();
    let (cheapest, best) = (fleet.cheapest(train), fleet.best());
    let even = vec![1.0 / all as f64; all];
    vec![
        Strategy::of("always cheapest", all, test.iter().map(|_| cheapest)),
        Strategy::of("always best", all, test.iter().map(|_| best)),
        Strategy { name: "random".to_owned(), shares: test.iter().map(|_| even.clone()).collect() },
        Strategy::of("oracle", all, test.iter().map(oracle)),
    ]
}

fn oracle(row: &OutcomeRow) -> usize {
    let keyed = row.outcomes.values().map(|outcome| (-outcome.score, outcome.cost_usd)).enumerate();
    let better = |a: &(f64, f64), b: &(f64, f64)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1));
    keyed.min_by(|a, b| better(&a.1, &b.1)).map_or(0, |(index, _)| index)
}

/// Returns the strategy that sends short requests to the cheapest model and long ones to the
/// best. Their border is the length at which training rows cost on average `budget`, the cost of
/// the compared policy on them.
pub fn by_length(fleet: &Fleet, train: &[OutcomeRow], test: &[OutcomeRow], budget: f64) -> Strategy {
    let (cheapest, best) = (fleet.cheapest(train), fleet.best());
    let cost = |row: &OutcomeRow, index: usize| {
        row.outcomes.values().nth(index).map_or(0.0, |outcome| outcome.cost_usd)
    };
    let mut rows: Vec<&OutcomeRow> = train.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.text.len()));
    let mut spent: f64 = rows.iter().map(|row| cost(row, cheapest)).sum();
    let mut border = usize::MAX;
    for row in &rows {
        spent += cost(row, best) - cost(row, cheapest);
        if spent > budget * rows.len() as f64 {
            break;
        }
        border = row.text.len();
    }
    let choose = |row: &OutcomeRow| if row.text.len() >= border { best } else { cheapest };
    Strategy::of("length, at the cost of dynamic", fleet.candidates.len(), test.iter().map(choose))
}
