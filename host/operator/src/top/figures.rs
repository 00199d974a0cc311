//! Formatting of figures: short, with their unit.

use pointsman_admin_api::RequestSums;

/// Formats a count, with separators between thousands.
pub(super) fn count(count: u64) -> String {
    if count >= 10_000_000 {
        return format!("{:.1} M", count as f64 / 1e6);
    }
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + 3);
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a number per second.
pub(super) fn rate(rate: f64) -> String {
    if rate >= 100.0 { count(rate.round() as u64) } else { format!("{rate:.1}") }
}

/// Formats US dollars: to the cent, and below ten cents with two significant digits.
pub(super) fn money(usd: f64) -> String {
    let size = usd.abs();
    if size == 0.0 {
        return "$0".to_owned();
    }
    if size >= 0.1 {
        return if size >= 1_000.0 { format!("${usd:.0}") } else { format!("${usd:.2}") };
    }
    let places = (1.0 - size.log10().floor()).clamp(2.0, 9.0) as usize;
    format!("${usd:.places$}")
}

/// Formats the prices of a million input and output tokens.
pub(super) fn prices(input: f64, output: f64) -> String {
    format!("{}/{}", price(input), price(output))
}

fn price(usd: f64) -> String {
    let text = format!("{usd:.3}");
    format!("${}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Formats a duration in milliseconds.
pub(super) fn time(ms: f64) -> String {
    match ms {
        ..1.0 => format!("{:.0} µs", ms * 1e3),
        1.0..10.0 => format!("{ms:.1} ms"),
        10.0..1e3 => format!("{ms:.0} ms"),
        1e3..60e3 => format!("{:.1} s", ms / 1e3),
        _ => ago(ms as u64),
    }
}

/// Formats a long duration in milliseconds.
pub(super) fn ago(ms: u64) -> String {
    match ms / 1_000 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// Formats a share in per cent.
pub(super) fn share(share: f64) -> String {
    let percent = format!("{:.1}", share * 100.0);
    format!("{} %", percent.strip_suffix(".0").unwrap_or(&percent))
}

/// Formats a value, or a dash if there is none.
pub(super) fn or_dash<T>(value: Option<T>, format: impl Fn(T) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), format)
}

/// Returns the start of a digest, which distinguishes versions.
pub(super) fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// Returns the share that was saved of the baseline's cost, if there is anything to compare.
pub(super) fn saving(sums: &RequestSums) -> Option<f64> {
    (sums.baseline_cost_usd > 0.0).then(|| 1.0 - sums.compared_cost_usd / sums.baseline_cost_usd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_have_their_unit() {
        let counts = [0, 999, 1_000, 1_234_567, 12_345_678].map(count);
        assert_eq!(counts, ["0", "999", "1,000", "1,234,567", "12.3 M"]);
        let costs = [0.0, 0.000_012_3, 0.000_999_9, 0.0123, 0.5, 12.345, 4_321.0, -0.2].map(money);
        assert_eq!(costs, ["$0", "$0.000012", "$0.00100", "$0.012", "$0.50", "$12.35", "$4321", "$-0.20"]);
        let times = [0.0, 0.25, 9.96, 59.6, 1_500.0, 130_000.0, f64::NAN, f64::INFINITY].map(time);
        assert_eq!(times[..6], ["0 µs", "250 µs", "10.0 ms", "60 ms", "1.5 s", "2 min"]);
        assert_eq!([0, 7_200_000, 200_000_000].map(ago), ["0 s", "2 h", "2 d"]);
        assert_eq!(
            [0.0, 0.600_000_1, 0.998, 1.0, -0.25].map(share),
            ["0 %", "60 %", "99.8 %", "100 %", "-25 %"]
        );
        assert_eq!(prices(0.15, 20.0), "$0.15/$20");
        assert_eq!([rate(0.04), rate(1234.4)], ["0.0", "1,234"]);
    }
}
