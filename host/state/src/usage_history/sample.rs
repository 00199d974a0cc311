//! Subjects and sums for tests.

use std::array;

use pointsman_domain::ids::{KeyName, ModelId};
use pointsman_domain::money::Picodollars;
use pointsman_domain::usage_totals::{UsageSubject, UsageTotals};

/// Returns a subject; an empty name of a model or a key is none.
pub fn subject(route: &str, model: &str, key: &str) -> UsageSubject {
    UsageSubject {
        route: route.into(),
        model: (!model.is_empty()).then(|| ModelId::new(model)),
        key: (!key.is_empty()).then(|| KeyName::new(key)),
    }
}

/// Returns the sums of answered requests that cost a dollar each.
pub fn answered(requests: u64) -> UsageTotals {
    UsageTotals {
        answered: requests,
        cost: Picodollars::from_usd(requests as f64),
        latency_us: 1_000 * requests,
        ..UsageTotals::default()
    }
}

/// Generator of numbers without a pattern (xorshift).
pub struct Noise(pub u64);

impl Noise {
    /// Returns the next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Returns a name of 64 letters and digits.
    pub fn name(&mut self) -> String {
        let letters = b"abcdefghijklmnopqrstuvwxyz0123456789";
        (0..64).map(|_| char::from(letters[(self.next() % 36) as usize])).collect()
    }

    /// Returns sums of which none is small.
    pub fn totals(&mut self) -> UsageTotals {
        UsageTotals::from_values(array::from_fn(|_| self.next() >> 24))
    }
}
