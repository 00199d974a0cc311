//! What a policy has to beat.

use crate::data::Row;
use crate::fleet::Fleet;

/// A way to choose: for each test row, the share of each candidate. All but
/// `random` and `oracle` give one candidate everything without knowing outcomes.
#[derive(Clone, Debug)]
pub struct Strategy {
    /// What it is called in reports.
    pub name: String,
    /// By row, by candidate.
    pub shares: Vec<Vec<f64>>,
}

impl Strategy {
    /// One candidate for each row.
    pub fn of(name: &str, candidates: usize, choices: impl Iterator<Item = usize>) -> Self {
        let only =
            |choice: usize| (0..candidates).map(|index| f64::from(u8::from(index == choice))).collect();
        Self { name: name.to_owned(), shares: choices.map(only).collect() }
    }
}

/// Always the cheapest, always the best, a random one, and the oracle, which
/// takes the cheapest of the best answers and so bounds what is possible.
pub fn baselines(fleet: &Fleet, train: &[Row], test: &[Row]) -> Vec<Strategy> {
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

fn oracle(row: &Row) -> usize {
    let keyed = row.outcomes.values().map(|outcome| (-outcome.score, outcome.cost_usd)).enumerate();
    let better = |a: &(f64, f64), b: &(f64, f64)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1));
    keyed.min_by(|a, b| better(&a.1, &b.1)).map_or(0, |(index, _)| index)
}

/// Short requests to the cheapest, long ones to the best, with the border where
/// training rows cost on average what the compared policy costs on them.
pub fn by_length(fleet: &Fleet, train: &[Row], test: &[Row], budget: f64) -> Strategy {
    let (cheapest, best) = (fleet.cheapest(train), fleet.best());
    let cost =
        |row: &Row, index: usize| row.outcomes.values().nth(index).map_or(0.0, |outcome| outcome.cost_usd);
    let mut rows: Vec<&Row> = train.iter().collect();
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
    let choose = |row: &Row| if row.text.len() >= border { best } else { cheapest };
    Strategy::of("length, at the cost of dynamic", fleet.candidates.len(), test.iter().map(choose))
}
