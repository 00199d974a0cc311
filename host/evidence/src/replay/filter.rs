//! Selection of records.

use pointsman_domain::date::Date;
use pointsman_record::DecisionRecord;

/// Conditions that records have to meet. Empty ones are met by all.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    pub(super) routes: Vec<String>,
    pub(super) keys: Vec<String>,
    pub(super) decided_by: Option<String>,
    /// First time in milliseconds since 1970, and the one after the last.
    pub(super) since_ms: Option<u64>,
    pub(super) until_ms: Option<u64>,
}

impl Filter {
    /// Returns whether a record meets all conditions.
    pub(super) fn accepts(&self, record: &DecisionRecord<'_>) -> bool {
        let is_listed = |names: &[String], name: Option<&str>| {
            names.is_empty() || name.is_some_and(|name| names.iter().any(|it| it == name))
        };
        let decided_by = record.decisions.first().and_then(|entry| entry.policy.as_deref());
        is_listed(&self.routes, Some(&record.route))
            && is_listed(&self.keys, record.key.as_deref())
            && self.decided_by.as_deref().is_none_or(|name| decided_by == Some(name))
            && self.since_ms.is_none_or(|since| record.at_ms >= since)
            && self.until_ms.is_none_or(|until| record.at_ms < until)
    }
}

/// Parses a time in UTC, such as `2026-11-30` or `2026-11-30T18:05:00Z`, into milliseconds since 1970.
///
/// # Errors
/// Fails with a description of the expected form.
pub(super) fn time_ms(text: &str) -> Result<u64, String> {
    let wrong = || "a time in UTC is expected, such as 2026-11-30 or 2026-11-30T18:05:00Z".to_owned();
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    let day = Date::parse(date).ok_or_else(wrong)?.start();
    let Some(time) = time else { return Ok(day * 1_000) };
    let mut parts = time.trim_end_matches('Z').split(':').map(|part| match part.len() {
        2 => part.parse::<u64>().ok(),
        _ => None,
    });
    let (hour, minute, second) = (parts.next().flatten(), parts.next().flatten(), parts.next());
    match (hour, minute, second.unwrap_or(Some(0)), parts.next()) {
        (Some(hour @ 0..24), Some(minute @ 0..60), Some(second @ 0..60), None) => {
            Ok((day + hour * 3_600 + minute * 60 + second) * 1_000)
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_or_have_hours_and_minutes() {
        assert_eq!(time_ms("1970-01-02"), Ok(86_400_000));
        assert_eq!(time_ms("1970-01-01T01:02"), Ok(3_720_000));
        assert_eq!(time_ms("1970-01-01T00:00:07Z"), Ok(7_000));
        for wrong in
            ["", "today", "1970-02-30", "1970-01-01T24:00", "1970-01-01T1:00", "1970-01-01T00:00:00:00", "0"]
        {
            assert!(time_ms(wrong).is_err(), "{wrong}");
        }
    }
}
