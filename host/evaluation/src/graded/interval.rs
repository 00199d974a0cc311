//! Confidence intervals by resampling rows.

use serde::Serialize;

use crate::random::Random;

/// Resamples of a bootstrap.
const RESAMPLES: usize = 2_000;

/// A value with the middle 95 % of its resamples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ConfidenceInterval {
    /// The value on all rows.
    pub value: f64,
    /// The 2.5th percentile.
    pub low: f64,
    /// The 97.5th percentile.
    pub high: f64,
}

/// Resamples rows (percentile bootstrap; Efron, 1979). The statistic gets the sums of both columns over a
/// sample, and the number of rows; columns of one row stay together, so differences are paired.
pub fn bootstrap(columns: &[(f64, f64)], statistic: impl Fn(f64, f64, f64) -> f64) -> ConfidenceInterval {
    let rows = columns.len();
    let sum = |sum: (f64, f64), row: Option<&(f64, f64)>| match row {
        Some(row) => (sum.0 + row.0, sum.1 + row.1),
        None => sum,
    };
    let of = |(first, second): (f64, f64)| statistic(first, second, rows as f64);
    let all = of(columns.iter().map(Some).fold((0.0, 0.0), sum));
    let mut random = Random::new(1);
    let mut values: Vec<f64> = (0..RESAMPLES)
        .map(|_| of((0..rows).map(|_| columns.get(random.below(rows))).fold((0.0, 0.0), sum)))
        .collect();
    values.sort_by(f64::total_cmp);
    let percentile = |share: usize| values.get(share).copied().unwrap_or(all);
    ConfidenceInterval {
        value: all,
        low: percentile(RESAMPLES * 25 / 1000),
        high: percentile(RESAMPLES * 975 / 1000 - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_contains_its_value_and_narrows_with_more_rows() {
        let coin = |rows: usize| (0..rows).map(|row| ((row % 2) as f64, 0.0)).collect::<Vec<_>>();
        let mean = |rows| bootstrap(&coin(rows), |sum, _, rows| sum / rows);
        let (few, many) = (mean(50), mean(5000));
        assert_eq!((few.value, many.value), (0.5, 0.5));
        assert!(few.low < 0.42 && few.high > 0.58, "{few:?}");
        assert!(many.low > 0.48 && many.high < 0.52, "{many:?}");
    }
}
