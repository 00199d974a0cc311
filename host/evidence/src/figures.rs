//! Figures of reports, as text and as JSON.

use pointsman_evaluation::simulation::QuantileSketch;
use serde::Serialize;

/// Latencies in milliseconds; members are absent if there was no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Mean.
    pub mean: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
}

impl Latency {
    /// Returns the latencies of a sketch.
    pub fn of(sketch: &QuantileSketch) -> Self {
        let ms = |share| sketch.quantile(share).map(|seconds| seconds * 1e3);
        Self { mean: sketch.mean().map(|seconds| seconds * 1e3), p50: ms(0.5), p95: ms(0.95), p99: ms(0.99) }
    }
}

/// Returns a number with separators of thousands.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns US dollars with enough digits for a request's cost.
pub fn usd(amount: Option<f64>) -> String {
    amount.map_or_else(
        || "-".to_owned(),
        |amount| {
            let sign = if amount < 0.0 { "-" } else { "" };
            match amount.abs() {
                0.0 => "$0".to_owned(),
                amount if amount >= 1_000.0 => format!("{sign}${}", count(amount.round() as u64)),
                amount if amount >= 1.0 => format!("{sign}${amount:.2}"),
                amount => format!("{sign}${amount:.6}"),
            }
        },
    )
}

/// Returns seconds as milliseconds.
pub fn milliseconds(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "-".to_owned(), |seconds| decimal(Some(seconds * 1e3)))
}

/// Returns a share in percent.
pub fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent > 0.0 && percent < 9.95 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// Returns a number with two decimals if it is small, one if it is larger, or none.
pub fn decimal(number: Option<f64>) -> String {
    number.map_or_else(
        || "-".to_owned(),
        |number| match number.abs() {
            ..10.0 => format!("{number:.2}"),
            10.0..100.0 => format!("{number:.1}"),
            _ => count(number.round() as u64),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_exact_enough() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(usd(Some(0.001_234_56)), "$0.001235");
        assert_eq!([12.345, 1_234.5, -0.5].map(|it| usd(Some(it))), ["$12.35", "$1,235", "-$0.500000"]);
        assert_eq!(usd(Some(-0.0)), "$0");
        assert_eq!((usd(None), milliseconds(None)), ("-".to_owned(), "-".to_owned()));
        assert_eq!([0.0, 0.004, 0.5, 1.0].map(percent), ["0 %", "0.4 %", "50 %", "100 %"]);
        assert_eq!([1.234, 12.34, 1_234.0].map(|it| decimal(Some(it))), ["1.23", "12.3", "1,234"]);
        assert_eq!(milliseconds(Some(0.012_34)), "12.3");
    }
}
