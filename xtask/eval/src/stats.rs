//! Means with bootstrap confidence intervals.

/// Number of resamples for an interval.
const RESAMPLES: usize = 2000;

/// Value with its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConfidenceInterval {
    /// Value on the original rows.
    pub value: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// SplitMix64 generator with the same numbers in every run, so that reports can be compared.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Returns a generator with a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns an index below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound.max(1) as u64) as usize
    }
}

/// Resamples rows and returns the middle 95 % of a statistic, which gets the sums of both columns
/// over a sample, and its size.
pub fn bootstrap(columns: &[(f64, f64)], statistic: impl Fn(f64, f64, f64) -> f64) -> ConfidenceInterval {
    let rows = columns.len();
    let of = |sample: &mut dyn Iterator<Item = usize>| {
        let (first, second) = sample.fold((0.0, 0.0), |sum, row| {
            let (first, second) = columns[row];
            (sum.0 + first, sum.1 + second)
        });
        statistic(first, second, rows as f64)
    };
    let mut random = Random::new(1);
    let mut values: Vec<f64> =
        (0..RESAMPLES).map(|_| of(&mut (0..rows).map(|_| random.below(rows)))).collect();
    values.sort_by(f64::total_cmp);
    ConfidenceInterval {
        value: of(&mut (0..rows)),
        low: values[RESAMPLES * 25 / 1000],
        high: values[RESAMPLES * 975 / 1000 - 1],
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
