//! Money in whole picodollars, so that sums are exact.
//!
//! A price of one US dollar per million tokens is 1,000,000 picodollars a
//! token; the cheapest models of 2026 cost some 10,000 picodollars a token.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

mod price;
mod schedule;

pub use price::{Price, PriceTier};
pub use schedule::{PriceChange, PricePeriod, PriceSchedule};

const PER_USD: f64 = 1e12;
/// Picodollars per token for one US dollar per million tokens.
const PER_USD_PER_MILLION: f64 = 1e6;

/// An amount of money, 10⁻¹² US dollars. Holds up to 18 million dollars, and
/// stays there rather than wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Picodollars(u64);

impl Picodollars {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// Wraps an amount.
    pub const fn new(picodollars: u64) -> Self {
        Self(picodollars)
    }

    /// Returns the amount as an integer.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the nearest amount to a number of US dollars. Negative numbers and NaN become zero.
    pub fn from_usd(usd: f64) -> Self {
        Self((usd * PER_USD).round() as u64)
    }

    /// Subtracts another amount, down to zero.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Returns the amount in US dollars, for display and for policies.
    pub fn usd(self) -> f64 {
        self.0 as f64 / PER_USD
    }
}

impl Add for Picodollars {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Picodollars {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Picodollars {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Picodollars {
    /// Writes US dollars without sign or trailing zeros: `0.00015`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 1_000_000_000_000, self.0 % 1_000_000_000_000);
        if part == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{part:012}");
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

impl Picodollars {
    /// Returns the price of one token from US dollars per million tokens, as providers
    /// state prices.
    pub fn per_million(usd: f64) -> Self {
        Self((usd * PER_USD_PER_MILLION).round() as u64)
    }

    const fn times(self, tokens: u64) -> Self {
        Self(self.0.saturating_mul(tokens))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_per_million_is_exact_per_token() {
        let gpt_4o_mini = Price::per_million(0.15, 0.60);
        assert_eq!(gpt_4o_mini.of(1, 0).get(), 150_000);
        assert_eq!(gpt_4o_mini.of(1_000_000, 1_000_000), Picodollars::from_usd(0.75));
    }

    #[test]
    fn amounts_print_as_plain_dollars() {
        assert_eq!(Picodollars::from_usd(0.00015).to_string(), "0.00015");
        assert_eq!(Picodollars::from_usd(12.0).to_string(), "12");
        assert_eq!(Picodollars::new(1).to_string(), "0.000000000001");
    }

    #[test]
    fn sums_stay_at_the_top_instead_of_wrapping() {
        let top = Picodollars::new(u64::MAX);
        assert_eq!(top + Picodollars::new(1), top);
        assert_eq!(Price { input: top, output: top, ..Price::default() }.of(2, 2), top);
    }

    #[test]
    fn nonsense_dollars_are_nothing() {
        assert_eq!(Picodollars::from_usd(f64::NAN), Picodollars::ZERO);
        assert_eq!(Picodollars::from_usd(-1.0), Picodollars::ZERO);
    }
}
