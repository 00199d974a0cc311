//! Names of the log's files: `decisions-20261126T212520Z-000001.jsonl`.

use std::time::{SystemTime, UNIX_EPOCH};

use pointsman_domain::date::Date;

const PREFIX: &str = "decisions-";
const PLAIN: &str = ".jsonl";
/// Suffix of a compressed file.
pub(super) const COMPRESSED: &str = ".zst";
/// Further suffix of a file that is being compressed.
pub(super) const UNFINISHED: &str = ".part";

/// Name of a file of the log. Files are ordered by number, which continues across processes, since a
/// clock can be set back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LogFileName {
    pub(super) number: u64,
    /// Name of the plain file.
    plain: String,
    pub(super) kind: LogFileKind,
}

/// Kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LogFileKind {
    /// JSON lines.
    Plain,
    /// Compressed JSON lines.
    Compressed,
    /// Incomplete compressed copy.
    Unfinished,
}

impl LogFileName {
    /// Creates the name of a plain file.
    pub(super) fn new(number: u64, now: SystemTime) -> Self {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self {
            number,
            plain: format!("{PREFIX}{}-{number:06}{PLAIN}", utc(seconds)),
            kind: LogFileKind::Plain,
        }
    }

    /// Parses a file name. Returns `None` if it is not a name of the log.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (plain, kind) = match name.strip_suffix(COMPRESSED) {
            Some(plain) => (plain, LogFileKind::Compressed),
            None => match name.strip_suffix(UNFINISHED).and_then(|name| name.strip_suffix(COMPRESSED)) {
                Some(plain) => (plain, LogFileKind::Unfinished),
                None => (name, LogFileKind::Plain),
            },
        };
        let (time, number) = plain.strip_prefix(PREFIX)?.strip_suffix(PLAIN)?.split_once('-')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (day, clock) = time.strip_suffix('Z')?.split_once('T')?;
        let is_time = day.len() == 8 && clock.len() == 6 && digits(day) && digits(clock);
        if !is_time || number.len() < 6 || !digits(number) {
            return None;
        }
        Some(Self { number: number.parse().ok()?, plain: plain.to_owned(), kind })
    }

    /// Returns the name of the same file with another kind.
    pub(super) fn with(&self, kind: LogFileKind) -> Self {
        Self { kind, ..self.clone() }
    }

    /// Returns the name in the directory.
    pub(super) fn file_name(&self) -> String {
        match self.kind {
            LogFileKind::Plain => self.plain.clone(),
            LogFileKind::Compressed => format!("{}{COMPRESSED}", self.plain),
            LogFileKind::Unfinished => format!("{}{COMPRESSED}{UNFINISHED}", self.plain),
        }
    }
}

/// Formats seconds since 1970 as `20261126T212520Z`.
fn utc(seconds: u64) -> String {
    let date = Date::at(seconds).to_string().replace('-', "");
    let second = seconds % 86_400;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{date}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_name_contains_the_time_at_which_its_file_was_created() {
        for (seconds, time) in [
            (0, "19700101T000000Z"),
            (951_782_400, "20000229T000000Z"),
            (951_868_799, "20000229T235959Z"),
            (1_709_251_200, "20240301T000000Z"),
            (1_767_225_599, "20251231T235959Z"),
            (1_795_728_320, "20261126T212520Z"),
            (4_107_542_400, "21000301T000000Z"),
        ] {
            let name = LogFileName::new(7, UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(name.file_name(), format!("decisions-{time}-000007.jsonl"));
        }
    }

    #[test]
    fn names_of_every_kind_are_parsed_as_they_were_formatted() {
        let name = LogFileName::new(1_234_567, UNIX_EPOCH);
        for kind in [LogFileKind::Plain, LogFileKind::Compressed, LogFileKind::Unfinished] {
            assert_eq!(LogFileName::parse(&name.with(kind).file_name()), Some(name.with(kind)));
        }
    }

    #[test]
    fn names_of_other_files_are_not_parsed() {
        for name in [
            "decisions.lock",
            "decisions-.jsonl",
            "decisions-20261126T212520Z-000001.json",
            "decisions-20261126T212520Z-000001.jsonl.gz",
            "decisions-20261126T212520Z-000001.jsonl.part",
            "decisions-20261126T212520Z-1.jsonl",
            "decisions-20261126T212520Z-00000a.jsonl",
            "decisions-2026-11-26-000001.jsonl",
            "my-decisions-20261126T212520Z-000001.jsonl",
            "decisions-20261126T212520Z-000001.jsonl.zst.part.part",
            "",
        ] {
            assert_eq!(LogFileName::parse(name), None, "{name}");
        }
    }
}
