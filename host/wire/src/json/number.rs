//! Grammar of a JSON number, one byte at a time.

/// State of a number after its bytes so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberState {
    Minus,
    Zero,
    Digits,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
}

impl NumberState {
    /// Returns the state after the first byte of a number.
    pub fn begin(byte: u8) -> Option<Self> {
        match byte {
            b'-' => Some(Self::Minus),
            b'0' => Some(Self::Zero),
            b'1'..=b'9' => Some(Self::Digits),
            _ => None,
        }
    }

    /// Returns the state after one more byte; `None` if the byte is not part of the number.
    pub fn next(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Minus, b'0') => Some(Self::Zero),
            (Self::Minus, b'1'..=b'9') | (Self::Digits, b'0'..=b'9') => Some(Self::Digits),
            (Self::Zero | Self::Digits, b'.') => Some(Self::Point),
            (Self::Point | Self::Fraction, b'0'..=b'9') => Some(Self::Fraction),
            (Self::Zero | Self::Digits | Self::Fraction, b'e' | b'E') => Some(Self::Exponent),
            (Self::Exponent, b'+' | b'-') => Some(Self::ExponentSign),
            (Self::Exponent | Self::ExponentSign | Self::ExponentDigits, b'0'..=b'9') => {
                Some(Self::ExponentDigits)
            }
            _ => None,
        }
    }

    /// Returns whether the number may end here.
    pub fn complete(self) -> bool {
        matches!(self, Self::Zero | Self::Digits | Self::Fraction | Self::ExponentDigits)
    }
}

/// Returns the value of a JSON number that is whole and not negative, in any notation: `256`,
/// `256.0`, `2.56e2`. `None` if it has a fraction, is negative, does not fit 64 bits, or is not a
/// number.
pub fn whole_number(raw: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(raw).ok()?;
    if let Ok(plain) = text.parse() {
        return Some(plain);
    }
    let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |positive| (true, positive));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let digits = [whole, fraction].concat();
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let zeros = (digits.len() - significant.len()) as i64 - fraction.len() as i64;
    let power = exponent.parse::<i64>().ok()?.checked_add(zeros)?;
    let factor = 10_u64.checked_pow(u32::try_from(power).ok()?)?;
    let value = significant.parse::<u64>().ok()?.checked_mul(factor)?;
    (!is_negative).then_some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::whole_number;

    #[test]
    fn whole_numbers_are_read_in_any_form() {
        for (text, value) in [
            ("0", 0),
            ("-0", 0),
            ("-0.0", 0),
            ("0e999999999999999999999", 0),
            ("256", 256),
            ("256.0", 256),
            ("256.000", 256),
            ("2.56e2", 256),
            ("2.56E+2", 256),
            ("25600e-2", 256),
            ("0.256e3", 256),
            ("1e18", 1_000_000_000_000_000_000),
            ("18446744073709551615", u64::MAX),
            ("18446744073709551615.0", u64::MAX),
        ] {
            assert_eq!(whole_number(text.as_bytes()), Some(value), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_none() {
        for text in [
            "-1",
            "-1.0",
            "0.5",
            "256.5",
            "2.561e2",
            "1e-1",
            "1e20",
            "1e400",
            "18446744073709551616",
            "1e99999999999999999999",
            "",
            "-",
            ".",
            "1.",
            ".5",
            "e5",
            "1e",
            "1.2.3",
            "NaN",
            "Infinity",
            "0x10",
            " 1",
            "1_000",
        ] {
            assert_eq!(whole_number(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_moved_point_changes_nothing(value in any::<u64>(), shift in 0_usize..30, zeros in 0_usize..10) {
            let digits = format!("{value:0>width$}", width = shift + 1);
            let (whole, fraction) = digits.split_at(digits.len() - shift);
            let text = format!("{whole}.{fraction}{}e{shift}", "0".repeat(zeros + 1));
            prop_assert_eq!(whole_number(text.as_bytes()), Some(value), "{}", text);
        }
    }
}
