//! Times in requests: durations such as `30d`, and times such as `2027-01-31`.

use pointsman_admin_api::TimeValue;
use pointsman_domain::date::parse_time;

use crate::admin::error::{AdminError, AdminErrorKind};

/// Units of durations, in seconds.
const UNITS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];
/// Longest duration, in seconds: ten years.
const LONGEST: u64 = 3_653 * 86_400;
/// Last second of the year 9999.
const LAST: u64 = 253_402_300_799;

/// Returns the time at which a key expires, in seconds since 1970; `None` for never.
pub(super) fn expiry(
    after: Option<&str>,
    at: Option<&TimeValue>,
    now: u64,
) -> Result<Option<u64>, AdminError> {
    match (after, at) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(given_twice()),
        (Some(after), None) => Ok(Some(now.saturating_add(duration("expires_in", after)?))),
        (None, Some(TimeValue::UnixSeconds(at))) if *at <= LAST => Ok(Some(*at)),
        (None, Some(TimeValue::UnixSeconds(_))) => {
            Err(rejected("expires_at", "`expires_at` is after the year 9999: it is in seconds since 1970"))
        }
        (None, Some(TimeValue::Text(text))) => parse_time(text).map(Some).ok_or_else(|| {
            let message = format!(
                "`expires_at` is {text:?}: a date in UTC such as \"2027-01-31\", a time such as \
                 \"2027-01-31T12:00:00Z\", or seconds since 1970 are allowed"
            );
            rejected("expires_at", message)
        }),
    }
}

/// Returns the error for two statements of a time.
pub(super) fn given_twice() -> AdminError {
    rejected("expires_at", "`expires_in` and `expires_at` are both given: leave out one")
}

/// Returns a grace period in seconds.
pub(super) fn grace(text: &str) -> Result<u64, AdminError> {
    duration("grace", text)
}

fn duration(member: &str, text: &str) -> Result<u64, AdminError> {
    parse_duration(text).filter(|seconds| *seconds <= LONGEST).ok_or_else(|| {
        let message =
            format!("`{member}` is {text:?}: a whole number with s, m, h or d is allowed, such as \"30d\", up to 10 years");
        rejected(member, message)
    })
}

/// Parses `30d`, or `0`, to seconds.
fn parse_duration(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (_, seconds) = UNITS.iter().find(|(name, _)| *name == &text[unit..])?;
    text[..unit].parse::<u64>().ok()?.checked_mul(*seconds)
}

fn rejected(member: &str, message: impl Into<String>) -> AdminError {
    AdminError::new(AdminErrorKind::Rejected, message).param(member)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_whole_number_with_a_unit() {
        for (text, seconds) in [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("90m", Some(5_400)),
            ("24h", Some(86_400)),
            ("30d", Some(2_592_000)),
        ] {
            assert_eq!(parse_duration(text), seconds, "{text}");
        }
        for text in [
            "",
            "30",
            "d",
            "1.5h",
            "-1d",
            "+1d",
            " 1d",
            "1 d",
            "1w",
            "1D",
            "99999999999999999999d",
            "18446744073709551615d",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
        assert!(grace("3653d").is_ok() && grace("3654d").is_err());
    }

    #[test]
    fn an_expiry_is_a_duration_or_a_time() {
        let text = |text: &str| TimeValue::Text(text.to_owned());
        assert_eq!(expiry(None, None, 5).unwrap(), None);
        assert_eq!(expiry(Some("1m"), None, 5).unwrap(), Some(65));
        assert_eq!(expiry(None, Some(&TimeValue::UnixSeconds(7)), 5).unwrap(), Some(7));
        assert_eq!(expiry(None, Some(&text("1970-01-02")), 5).unwrap(), Some(86_400));
        assert_eq!(expiry(None, Some(&text("1970-01-02T00:00:01Z")), 5).unwrap(), Some(86_401));
        for (after, at) in [
            (Some("1m"), Some(TimeValue::UnixSeconds(7))),
            (Some("soon"), None),
            (None, Some(text("tomorrow"))),
            (None, Some(TimeValue::UnixSeconds(u64::MAX))),
        ] {
            assert!(expiry(after, at.as_ref(), 5).is_err(), "{after:?} {at:?}");
        }
    }
}
