//! Sums of usage over requests, and what they are kept by.

use std::array;
use std::ops::AddAssign;
use std::sync::Arc;

use crate::ids::{KeyName, ModelId};
use crate::money::Picodollars;
use crate::outcome::FailureCounts;

/// Route, model and key that a sum is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UsageSubject {
    /// Name of the route.
    pub route: Arc<str>,
    /// Model; `None` where none was called.
    pub model: Option<ModelId>,
    /// Key; `None` where no keys are configured.
    pub key: Option<KeyName>,
}

/// Sums over some requests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UsageTotals {
    /// Answered requests.
    pub answered: u64,
    /// Failed requests.
    pub failed: u64,
    /// Failed requests by cause.
    pub failed_by: FailureCounts,
    /// Requests whose client disconnected.
    pub cancelled: u64,
    /// Input tokens, cached ones included.
    pub input_tokens: u64,
    /// Input tokens read from a cache of the provider.
    pub cached_input_tokens: u64,
    /// Output tokens, reasoning included.
    pub output_tokens: u64,
    /// Reasoning tokens.
    pub reasoning_tokens: u64,
    /// Cost of the requests.
    pub cost: Picodollars,
    /// Cost of the requests that can be compared with the baseline.
    pub compared_cost: Picodollars,
    /// Cost of the same requests with the baseline model.
    pub baseline_cost: Picodollars,
    /// Latency of the answered requests, in microseconds.
    pub latency_us: u64,
}

impl UsageTotals {
    /// Number of [`values`](Self::values).
    pub const VALUES: usize = 15;

    /// Returns the number of requests, however they ended.
    pub fn requests(&self) -> u64 {
        self.answered.saturating_add(self.failed).saturating_add(self.cancelled)
    }

    /// Returns whether nothing was summed up.
    pub fn is_empty(&self) -> bool {
        self.values() == [0; Self::VALUES]
    }

    /// Returns the mean latency of the answered requests in milliseconds, if there are any.
    pub fn mean_latency_ms(&self) -> Option<f64> {
        (self.answered > 0).then(|| self.latency_us as f64 / self.answered as f64 / 1e3)
    }

    /// Returns the sums as numbers. Stored history has this order, so another sum is appended.
    pub const fn values(&self) -> [u64; Self::VALUES] {
        let FailureCounts { client, model, policy, limit } = self.failed_by;
        [
            self.answered,
            self.failed,
            client,
            model,
            policy,
            limit,
            self.cancelled,
            self.input_tokens,
            self.cached_input_tokens,
            self.output_tokens,
            self.reasoning_tokens,
            self.cost.get(),
            self.compared_cost.get(),
            self.baseline_cost.get(),
            self.latency_us,
        ]
    }

    /// Makes sums of numbers in the order of [`values`](Self::values).
    pub const fn from_values(values: [u64; Self::VALUES]) -> Self {
        let [
            answered,
            failed,
            client,
            model,
            policy,
            limit,
            cancelled,
            input_tokens,
            cached_input_tokens,
            output_tokens,
            reasoning_tokens,
            cost,
            compared_cost,
            baseline_cost,
            latency_us,
        ] = values;
        Self {
            answered,
            failed,
            failed_by: FailureCounts { client, model, policy, limit },
            cancelled,
            input_tokens,
            cached_input_tokens,
            output_tokens,
            reasoning_tokens,
            cost: Picodollars::new(cost),
            compared_cost: Picodollars::new(compared_cost),
            baseline_cost: Picodollars::new(baseline_cost),
            latency_us,
        }
    }

    /// Returns what was added since earlier sums of the same requests.
    pub fn since(&self, earlier: &Self) -> Self {
        self.zip(earlier, u64::saturating_sub)
    }

    fn zip(&self, other: &Self, combine: fn(u64, u64) -> u64) -> Self {
        let (own, other) = (self.values(), other.values());
        Self::from_values(array::from_fn(|at| combine(own[at], other[at])))
    }
}

impl AddAssign for UsageTotals {
    fn add_assign(&mut self, other: Self) {
        *self = self.zip(&other, u64::saturating_add);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(first: u64) -> UsageTotals {
        UsageTotals::from_values(array::from_fn(|at| first + at as u64))
    }

    #[test]
    fn each_sum_has_a_place_of_its_own_among_the_values() {
        let totals = numbered(100);
        assert_eq!(totals.values(), array::from_fn(|at| 100 + at as u64));
        assert_eq!((totals.answered, totals.cancelled, totals.latency_us), (100, 106, 114));
        assert_eq!(totals.failed_by, FailureCounts { client: 102, model: 103, policy: 104, limit: 105 });
        assert_eq!((totals.cost.get(), totals.baseline_cost.get()), (111, 113));
    }

    #[test]
    fn a_difference_added_to_the_earlier_sums_gives_the_later_ones() {
        let (earlier, later) = (numbered(3), numbered(50));
        let mut sum = earlier;
        sum += later.since(&earlier);
        assert_eq!(sum, later);
        assert!(later.since(&later).is_empty() && !later.is_empty());
    }

    #[test]
    fn the_mean_latency_is_that_of_answered_requests() {
        let totals = UsageTotals { answered: 2, failed: 5, latency_us: 3_000, ..UsageTotals::default() };
        assert_eq!((totals.mean_latency_ms(), totals.requests()), (Some(1.5), 7));
        assert_eq!(UsageTotals::default().mean_latency_ms(), None);
    }
}
