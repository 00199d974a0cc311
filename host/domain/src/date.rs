//! Dates and times in UTC.

use std::fmt;

const SECONDS_PER_DAY: u64 = 86_400;
/// Days from 0000-03-01 to 1970-01-01.
const DAYS_BEFORE_1970: u64 = 719_468;
/// Days of 400 years, after which the calendar repeats.
const DAYS_PER_ERA: u64 = 146_097;

/// A date in UTC, from 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Days since 1970-01-01.
    days: u64,
}

impl Date {
    /// Returns the date of a time in seconds since 1970.
    pub const fn at(unix_seconds: u64) -> Self {
        Self { days: unix_seconds / SECONDS_PER_DAY }
    }

    /// Parses `YYYY-MM-DD`. `None` for other texts, and for days that no calendar has.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-').map(|part| part.parse::<u64>().ok());
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let date = Self::from_civil(year, month, day);
        // The 30th of February and `2026-2-1` come back as another text.
        (date.to_string() == text).then_some(date)
    }

    /// Returns its first second, in seconds since 1970.
    pub const fn start(self) -> u64 {
        self.days * SECONDS_PER_DAY
    }

    /// The algorithms of H. Hinnant, "chrono-compatible low-level date algorithms":
    /// `days_from_civil`. Years begin in March, so that the leap day is the last one.
    const fn from_civil(year: u64, month: u64, day: u64) -> Self {
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let (era, year_of_era) = (year / 400, year % 400);
        let day_of_year = (153 * month + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Self { days: era * DAYS_PER_ERA + day_of_era - DAYS_BEFORE_1970 }
    }

    /// `civil_from_days` of the same source: year, month and day.
    const fn civil(self) -> (u64, u64, u64) {
        let shifted = self.days + DAYS_BEFORE_1970;
        let (era, day_of_era) = (shifted / DAYS_PER_ERA, shifted % DAYS_PER_ERA);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        (year, month, day)
    }
}

/// Returns a time in seconds since 1970 in the format of RFC 3339.
pub fn rfc3339(unix_seconds: u64) -> String {
    let (date, second) = (Date::at(unix_seconds), unix_seconds % SECONDS_PER_DAY);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{date}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Parses `YYYY-MM-DD`, the first second of that day, or `YYYY-MM-DDTHH:MM:SSZ`, to seconds since 1970.
pub fn parse_time(text: &str) -> Option<u64> {
    let Some((date, time)) = text.split_once('T') else { return Some(Date::parse(text)?.start()) };
    let mut parts = time.strip_suffix('Z')?.splitn(3, ':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let unix_seconds = Date::parse(date)?.start() + hour * 3_600 + minute * 60 + second;
    // `1:2:3` comes back as another text.
    (rfc3339(unix_seconds) == text).then_some(unix_seconds)
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_begins_at_midnight_utc() {
        for (text, start) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400),
            ("2000-03-01", 951_868_800),
            ("2024-02-29", 1_709_164_800),
            ("2026-12-31", 1_798_675_200),
            ("2100-03-01", 4_107_542_400),
        ] {
            let date = Date::parse(text).unwrap();
            assert_eq!(date.start(), start, "{text}");
            assert_eq!((Date::at(start), Date::at(start + 86_399)), (date, date), "{text}");
            assert!(Date::at(start + 86_400) > date);
        }
    }

    #[test]
    fn every_day_is_read_as_it_is_written() {
        let mut last = String::new();
        for days in 0..150_000 {
            let date = Date { days };
            let text = date.to_string();
            assert!(text > last, "{text} follows {last}");
            assert_eq!(Date::parse(&text), Some(date));
            last = text;
        }
    }

    #[test]
    fn a_time_is_read_as_it_is_written() {
        for (text, unix_seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2024-02-29T12:34:56Z", 1_709_210_096),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!((rfc3339(unix_seconds).as_str(), parse_time(text)), (text, Some(unix_seconds)));
        }
        assert_eq!(parse_time("2024-02-29"), Some(1_709_164_800));
        for text in [
            "2024-02-29T12:34:56",
            "2024-02-29T12:34Z",
            "2024-02-29T24:00:00Z",
            "2024-02-29T12:60:00Z",
            "2024-02-29T1:2:3Z",
            "2024-02-30T00:00:00Z",
            "2024-02-29T12:34:56+01:00",
            "2024-02-29T18446744073709551615:00:00Z",
            "2024-02-29T00:18446744073709551615:00Z",
            "tomorrow",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_dates() {
        for text in [
            "",
            "2026",
            "2026-12",
            "2026-1-1",
            "2026-02-30",
            "2025-02-29",
            "2100-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "1969-12-31",
            "10000-01-01",
            "+2026-01-01",
            "2026-01-01T00:00:00Z",
            " 2026-01-01",
            "01.02.2026",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }
}
