//! Retry times that backends request.

use std::time::{Duration, SystemTime};

use ::http::HeaderMap;
use ::http::header::RETRY_AFTER;

/// Longest time that is accepted. A date in a distant year must not become a duration that
/// overflows a clock.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// Returns the time after which a backend asks to be called again: `retry-after-ms`, else
/// `retry-after` in seconds or as a date. At most an hour; `None` without a valid header.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(wait) = text("retry-after-ms").and_then(|text| seconds(text, 1e-3)) {
        return Some(wait);
    }
    let text = text(RETRY_AFTER.as_str())?;
    seconds(text, 1.0).or_else(|| until(text, now))
}

fn seconds(text: &str, unit: f64) -> Option<Duration> {
    let amount: f64 = text.parse().ok()?;
    (amount >= 0.0).then(|| Duration::from_secs_f64((amount * unit).min(MAX_RETRY_AFTER.as_secs_f64())))
}

fn until(date: &str, now: SystemTime) -> Option<Duration> {
    let date = httpdate::parse_http_date(date).ok()?;
    Some(date.duration_since(now).unwrap_or_default().min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&'static str, &str)], expected: Option<Duration>) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(retry_after(&map, now), expected, "{headers:?}");
    }

    #[test]
    fn seconds_dates_and_milliseconds_are_read() {
        check(&[("retry-after", "2")], Some(Duration::from_secs(2)));
        check(&[("retry-after", "0.25")], Some(Duration::from_millis(250)));
        check(&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")], Some(Duration::from_secs(30)));
        check(&[("retry-after-ms", "1500")], Some(Duration::from_millis(1500)));
        check(&[("retry-after-ms", "40"), ("retry-after", "9")], Some(Duration::from_millis(40)));
    }

    #[test]
    fn a_date_in_the_past_means_now() {
        check(&[("retry-after", "Sun, 06 Nov 1994 08:49:07 GMT")], Some(Duration::ZERO));
    }

    #[test]
    fn nonsense_is_nothing_and_eternity_is_an_hour() {
        check(&[], None);
        check(&[("retry-after", "soon")], None);
        check(&[("retry-after", "-1")], None);
        check(&[("retry-after", "NaN")], None);
        check(&[("retry-after", "inf")], Some(MAX_RETRY_AFTER));
        check(&[("retry-after", "99999999999999999999")], Some(MAX_RETRY_AFTER));
        check(&[("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT")], Some(MAX_RETRY_AFTER));
    }
}
