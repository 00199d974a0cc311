//! Quantiles of many values in little memory.

use std::time::Duration;

/// Ratio of the bounds of a bucket: a quantile is at most half a percent off.
const RATIO: f64 = 1.01;
/// Lower bound of the first bucket, in seconds.
const SMALLEST: f64 = 1e-6;
/// Buckets: the last one begins above 30,000 years.
const BUCKETS: usize = 4_200;

/// Counts of durations in buckets whose bounds grow by 1 %, so that quantiles have a relative error of
/// at most 0.5 % (DDSketch: Masson, Rim and Lee, VLDB 2019). The mean is exact.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantileSketch {
    /// Values below the first bucket.
    zeros: u64,
    buckets: Vec<u64>,
    count: u64,
    sum: f64,
    largest: f64,
}

impl Default for QuantileSketch {
    fn default() -> Self {
        Self { zeros: 0, buckets: Vec::new(), count: 0, sum: 0.0, largest: 0.0 }
    }
}

impl QuantileSketch {
    /// Adds a duration.
    pub fn add(&mut self, value: Duration) {
        let seconds = value.as_secs_f64();
        self.count += 1;
        self.sum += seconds;
        self.largest = self.largest.max(seconds);
        if seconds < SMALLEST {
            self.zeros += 1;
            return;
        }
        let bucket = ((seconds / SMALLEST).ln() / RATIO.ln()) as usize;
        let bucket = bucket.min(BUCKETS - 1);
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, 0);
        }
        if let Some(count) = self.buckets.get_mut(bucket) {
            *count += 1;
        }
    }

    /// Returns the number of durations.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the mean in seconds; `None` if there are no durations.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// Returns the largest duration in seconds.
    pub fn largest(&self) -> Option<f64> {
        (self.count > 0).then_some(self.largest)
    }

    /// Returns a quantile in seconds, by the nearest rank; `None` if there are no durations.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        let rank = ((share.clamp(0.0, 1.0) * self.count as f64).ceil() as u64).max(1);
        let mut seen = self.zeros;
        if seen >= rank {
            return Some(0.0);
        }
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                let middle = SMALLEST * RATIO.powf(bucket as f64 + 0.5);
                return Some(middle.min(self.largest));
            }
        }
        Some(self.largest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn quantiles_are_within_half_a_percent_of_the_exact_ones() {
        let mut random = Random::new(3);
        let mut sketch = QuantileSketch::default();
        let mut exact: Vec<f64> = (0..20_000).map(|_| random.exponential() * 0.3).collect();
        for value in &exact {
            sketch.add(Duration::from_secs_f64(*value));
        }
        exact.sort_by(f64::total_cmp);
        for share in [0.01, 0.5, 0.95, 0.99, 1.0] {
            let at = ((share * 20_000.0) as usize).max(1) - 1;
            let error = sketch.quantile(share).unwrap() / exact[at] - 1.0;
            assert!(error.abs() < 0.006, "{share}: {error}");
        }
        let mean = exact.iter().sum::<f64>() / 20_000.0;
        assert!((sketch.mean().unwrap() / mean - 1.0).abs() < 1e-6);
        assert!(sketch.buckets.len() <= BUCKETS);
    }

    #[test]
    fn nothing_and_zeros_and_huge_values_have_quantiles_too() {
        let mut sketch = QuantileSketch::default();
        assert_eq!((sketch.quantile(0.5), sketch.mean(), sketch.largest()), (None, None, None));
        sketch.add(Duration::ZERO);
        assert_eq!((sketch.quantile(0.0), sketch.quantile(1.0)), (Some(0.0), Some(0.0)));
        sketch.add(Duration::MAX);
        assert!(sketch.quantile(1.0).unwrap() > 1e11);
        assert_eq!(sketch.count(), 2);
    }
}
