//! Traces of Azure: CSV with a line for each request.

use std::io::BufRead;
use std::sync::Arc;
use std::time::Duration;

use pointsman_domain::date::Date;
use pointsman_terminal::CommandError;

use super::{Lines, TraceEntry};

/// Titles of the columns.
pub(super) const TITLES: &str = "TIMESTAMP,ContextTokens,GeneratedTokens";
/// Title of the first column.
pub(super) const FIRST_TITLE: &str = "TIMESTAMP";

/// Reads the lines after the titles.
pub(super) fn read(mut lines: Lines<'_, impl BufRead>) -> Result<Vec<TraceEntry>, CommandError> {
    lines.advance()?;
    if lines.line.trim() != TITLES {
        let length = lines.line.chars().count();
        return Err(lines.fault(Some((0, length)), &format!("the titles are not {TITLES}")));
    }
    let mut entries = Vec::new();
    while lines.advance()? {
        lines.check_room(&entries)?;
        let mut fields = Vec::with_capacity(3);
        let mut column = 0;
        for field in lines.line.split(',') {
            fields.push((column, field));
            column += field.chars().count() + 1;
        }
        let [at, input, output] = fields.as_slice() else {
            let reason = format!("a request has 3 fields, and this line has {}", fields.len());
            return Err(lines.fault(Some((0, column.saturating_sub(1))), &reason));
        };
        let fault = |(column, field): &(usize, &str), what: &str| {
            lines.fault(Some((*column, field.chars().count())), &format!("{field:?} is not {what}"))
        };
        let tokens = |field: &(usize, &str)| {
            field.1.trim().parse::<u32>().map_err(|_| fault(field, "a number of tokens"))
        };
        entries.push(TraceEntry {
            at: time(at.1.trim()).ok_or_else(|| fault(at, "a time such as 2023-11-16 18:15:46.6805900"))?,
            input_tokens: tokens(input)?,
            output_tokens: tokens(output)?,
            prefix: Arc::default(),
            facts: None,
        });
    }
    Ok(entries)
}

/// Parses `YYYY-MM-DD HH:MM:SS.fraction`, and returns the time since 1970.
fn time(text: &str) -> Option<Duration> {
    let (date, time) = text.split_once([' ', 'T'])?;
    let day = Date::parse(date)?.start();
    let mut parts = time.trim_end_matches('Z').splitn(3, ':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = |text: &str, below: u64| text.parse::<u64>().ok().filter(|value| *value < below);
    let seconds: f64 = seconds.parse().ok().filter(|seconds| (0.0..61.0).contains(seconds))?;
    let start = Duration::from_secs(day + whole(hours, 24)? * 3_600 + whole(minutes, 60)? * 60);
    start.checked_add(Duration::try_from_secs_f64(seconds).ok()?)
}
