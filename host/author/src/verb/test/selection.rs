//! The cases that a run has: those of files, or those of a decision log.

use std::collections::BTreeMap;
use std::path::Path;

use pointsman_terminal::CommandError;
use sha2::{Digest, Sha256};

use super::Args;
use crate::Toolbox;
use crate::case::folder::{self, LoadedCase};
use crate::case::recorded::{self, Kept, LogOptions, RecordedCases};
use crate::subject::PolicyFile;
use crate::verb::run::settings_text;
use crate::verb::source;

/// Cases to run.
pub(super) struct Selection {
    pub(super) cases: Vec<LoadedCase>,
    /// Records of a log that make no case, by reason.
    pub(super) left_out: BTreeMap<String, u64>,
    /// Records that were decided under other settings.
    pub(super) other_settings: u64,
}

/// Reads the policy and its cases. Cases of files come first, since building may take long.
pub(super) fn of(args: &Args, toolbox: &Toolbox) -> Result<(PolicyFile, Selection), CommandError> {
    let policy = || source::policy(args.policy.as_deref().unwrap_or(&args.source), toolbox);
    if let Some(log) = &args.record {
        let file = policy()?;
        let recorded = of_log(log, &file, args)?;
        return Ok((file, recorded));
    }
    let path = source::cases(&args.source, args.cases.as_deref())?;
    let cases = folder::load(&path).map_err(|error| CommandError::Input(error.to_string()))?;
    let cases = filtered(cases, args)?;
    Ok((policy()?, Selection { cases, left_out: BTreeMap::new(), other_settings: 0 }))
}

fn of_log(log: &Path, file: &PolicyFile, args: &Args) -> Result<Selection, CommandError> {
    let text = args.settings.as_deref().map_or_else(|| Ok("{}".to_owned()), settings_text)?;
    let settings = serde_json::from_str(&text).map_err(CommandError::run)?;
    let digest = format!("{:x}", Sha256::digest(text.as_bytes()));
    let options = LogOptions {
        settings: &settings,
        settings_digest: &digest,
        decided_by: args.decided_by.as_deref(),
        limit: args.limit,
        kept: Kept::Oldest,
    };
    let recorded = recorded::load(log, &file.inspection, &options)
        .map_err(|error| CommandError::Input(error.to_string()))?;
    let RecordedCases { cases, left_out, other_settings } = recorded;
    if cases.is_empty() {
        return Err(no_case(&log.display().to_string(), &left_out));
    }
    Ok(Selection { cases: filtered(cases, args)?, left_out, other_settings })
}

/// Describes the records of which none makes a case.
pub(in crate::verb) fn no_case(log: &str, left_out: &BTreeMap<String, u64>) -> CommandError {
    let reasons: Vec<String> = left_out.iter().map(|(reason, count)| format!("{count}: {reason}")).collect();
    CommandError::Input(format!(
        "error: no record of {log} makes a case ({})",
        if reasons.is_empty() { "there are none".to_owned() } else { reasons.join("; ") }
    ))
}

/// Returns the cases whose names match.
fn filtered(cases: Vec<LoadedCase>, args: &Args) -> Result<Vec<LoadedCase>, CommandError> {
    let total = cases.len();
    let filter = args.filter.as_deref().unwrap_or_default();
    let chosen: Vec<LoadedCase> = cases.into_iter().filter(|case| case.name.contains(filter)).collect();
    if chosen.is_empty() {
        let why = if total == 0 { "there are no cases" } else { "no case has that text in its name" };
        return Err(CommandError::Input(format!("error: {why}")));
    }
    Ok(chosen)
}
