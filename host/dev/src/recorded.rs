//! Recorded requests, asked of the version before and of the new one.

use std::collections::BTreeMap;
use std::path::Path;

use pointsman_author::case::recorded::{self, Kept, LogOptions, RecordedCases};
use pointsman_author::observed::Observed;
use pointsman_author::subject::{PolicyFile, Sandbox};
use pointsman_author::verb::test::run_cases;
use pointsman_terminal::CommandError;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// The comparison of two versions on recorded requests.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Comparison {
    /// Requests that both versions were asked about.
    pub(crate) asked: usize,
    /// Requests with another answer.
    pub(crate) changed: Vec<ChangedAnswer>,
    /// Records that lack what the policy can see, by reason.
    pub(crate) left_out: BTreeMap<String, u64>,
}

/// A request with another answer than before.
#[derive(Debug, Serialize)]
pub(crate) struct ChangedAnswer {
    /// Name of the case: the id of the decision.
    pub(crate) request: String,
    /// Answer of the version before.
    pub(crate) before: String,
    /// Answer of the new version.
    pub(crate) after: String,
}

/// The newest records of a log.
pub(crate) struct Records<'a> {
    pub(crate) log: &'a Path,
    pub(crate) most: usize,
    /// Name of the policy that decided.
    pub(crate) policy: &'a str,
    pub(crate) settings: &'a Map<String, Value>,
}

/// Asks both versions about the newest recorded requests. A log that does not exist yet has none.
///
/// # Errors
/// Fails if the log cannot be read.
pub(crate) fn compare(
    sandbox: &Sandbox,
    before: &PolicyFile,
    after: &PolicyFile,
    records: &Records<'_>,
) -> Result<Comparison, CommandError> {
    if records.most == 0 || !has_files(records.log) {
        return Ok(Comparison::default());
    }
    let digest = format!("{:x}", Sha256::digest(json!(records.settings).to_string()));
    let options = LogOptions {
        settings: records.settings,
        settings_digest: &digest,
        decided_by: Some(records.policy),
        limit: records.most,
        kept: Kept::Newest,
    };
    let RecordedCases { cases, left_out, .. } = recorded::load(records.log, &after.inspection, &options)
        .map_err(|error| CommandError::Input(error.to_string()))?;
    let mut comparison = Comparison { asked: cases.len(), left_out, ..Comparison::default() };
    if cases.is_empty() {
        return Ok(comparison);
    }
    let (old, new) = (run_cases(sandbox, before, &cases)?, run_cases(sandbox, after, &cases)?);
    for (old, new) in old.iter().zip(&new) {
        if !is_same(&old.observed, &new.observed) {
            comparison.changed.push(ChangedAnswer {
                request: new.name.clone(),
                before: described(&old.observed),
                after: described(&new.observed),
            });
        }
    }
    Ok(comparison)
}

/// Returns whether a log has begun.
fn has_files(log: &Path) -> bool {
    !log.is_dir()
        || std::fs::read_dir(log)
            .is_ok_and(|mut files| files.any(|file| file.is_ok_and(|it| is_log(&it.path()))))
}

fn is_log(path: &Path) -> bool {
    path.to_string_lossy().contains(".jsonl")
}

/// Compares answers, apart from their reasons, which may state numbers.
fn is_same(before: &[Observed], after: &[Observed]) -> bool {
    let without_reason = |answers: &[Observed]| -> Vec<Observed> {
        answers.iter().map(|answer| Observed { reason: None, ..answer.clone() }).collect()
    };
    without_reason(before) == without_reason(after)
}

fn described(answers: &[Observed]) -> String {
    answers.iter().map(Observed::summary).collect::<Vec<_>>().join("; then ")
}
