//! `pointsman policy diff`

mod report;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use pointsman_policy::FuelCounting;
use pointsman_terminal::{CommandError, Paint, Progress, print};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::Toolbox;
use crate::case::folder::{self, LoadedCase};
use crate::case::recorded::{self, Kept, LogOptions, RecordedCases};
use crate::comparison::decisions::{DecisionComparison, Side, compare};
use crate::comparison::file::FileComparison;
use crate::subject::{PolicyFile, Sandbox, Subject, not_loadable};
use crate::verb::run::settings_text;
use crate::verb::source;
use crate::verb::test::selection::no_case;

const MORE: &str = "\
Compares what two policies import, need and export, and what they decide: over the cases
of --cases, or over the requests of a decision log. Without either, the cases of the new
policy's folder are used if there are any. Costs are predicted from the candidates'
prices; docs/comparing-policies.md has the formula.

Examples:
  pointsman policy diff old.wasm new.wasm --cases cases
  pointsman policy diff builtin:cost . --record /var/log/pointsman/decisions
  pointsman policy diff policy.wasm policy.wasm --cases cases --new-settings new.toml

Exit status: 0 compared, 1 something differs and --fail-on-change is given, 2 usage, 3 a
policy cannot be loaded.";

/// The arguments of `pointsman policy diff`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    /// The old policy: a folder, a WebAssembly file, or `builtin:NAME`
    #[arg(value_name = "OLD")]
    old: String,
    /// The new policy
    #[arg(value_name = "NEW")]
    new: String,
    /// Compare the decisions over these cases, whatever they expect
    #[arg(long, value_name = "PATH", conflicts_with = "record")]
    cases: Option<PathBuf>,
    /// Compare the decisions over the requests of decision logs: files, or folders of files
    #[arg(long, value_name = "LOG", num_args = 1..)]
    record: Vec<PathBuf>,
    /// Take only requests of the log that this policy decided
    #[arg(long, value_name = "NAME", requires = "record")]
    decided_by: Option<String>,
    /// Most requests that are taken from the log
    #[arg(long, value_name = "N", default_value_t = 10_000, requires = "record")]
    limit: usize,
    /// Settings of both policies in place of those of the cases: JSON, or the path of a JSON or TOML file
    #[arg(long, value_name = "JSON")]
    settings: Option<String>,
    /// Settings of the new policy alone
    #[arg(long, value_name = "JSON")]
    new_settings: Option<String>,
    /// Exit with status 1 if anything differs
    #[arg(long)]
    fail_on_change: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    /// Use no colours
    #[arg(long)]
    no_colour: bool,
}

/// Results of the command.
struct Comparison<'a> {
    old: &'a PolicyFile,
    new: &'a PolicyFile,
    files: FileComparison,
    /// Decisions, if there were cases to compare them over.
    decisions: Option<DecisionComparison>,
    /// Records of logs that make no case, by reason.
    left_out: BTreeMap<String, u64>,
}

/// Runs the command.
///
/// # Errors
/// Fails with exit status 1 if something differs and that is a failure, 2 for wrong input, 3 if a policy
/// cannot be loaded.
pub fn run(args: &Args, toolbox: &Toolbox) -> Result<(), CommandError> {
    let settings = args.settings.as_deref().map(object).transpose()?;
    let new_settings = args.new_settings.as_deref().map(object).transpose()?.or_else(|| settings.clone());
    let old = source::policy(&args.old, toolbox)?;
    let new = source::policy(&args.new, toolbox)?;
    let RecordedCases { cases, left_out, .. } = requests(args, &old, &new)?;
    let decisions = match cases.as_slice() {
        [] => None,
        cases => Some(decisions(toolbox, [(&old, settings), (&new, new_settings)], cases)?),
    };
    let files = FileComparison::of(&old, &new);
    let comparison = Comparison { old: &old, new: &new, files, decisions, left_out };
    if args.json {
        let report = report::json(&comparison);
        print(serde_json::to_string_pretty(&report).map_err(CommandError::run)?)?;
    } else {
        print(report::text(&comparison, Paint::stdout(args.no_colour)).trim_end())?;
    }
    if args.fail_on_change { comparison.check() } else { Ok(()) }
}

fn object(given: &str) -> Result<Map<String, Value>, CommandError> {
    serde_json::from_str(&settings_text(given)?).map_err(CommandError::run)
}

/// Returns the requests over which decisions are compared.
fn requests(args: &Args, old: &PolicyFile, new: &PolicyFile) -> Result<RecordedCases, CommandError> {
    let input = |error: crate::case::CaseError| CommandError::Input(error.to_string());
    if args.record.is_empty() {
        let given = match (&args.cases, source::cases(&args.new, None)) {
            (Some(given), _) => Some(source::cases(&args.new, Some(given))?),
            (None, found) => found.ok(),
        };
        let cases = given.map(|path| folder::load(&path)).transpose().map_err(input)?.unwrap_or_default();
        return Ok(RecordedCases { cases, ..RecordedCases::default() });
    }
    let settings = Map::new();
    let options = LogOptions {
        settings: &settings,
        settings_digest: &format!("{:x}", Sha256::digest(b"{}")),
        decided_by: args.decided_by.as_deref(),
        limit: args.limit,
        kept: Kept::Oldest,
    };
    let logs: Vec<&Path> = args.record.iter().map(PathBuf::as_path).collect();
    let recorded = recorded::load_for(&logs, &[&old.inspection, &new.inspection], &options).map_err(input)?;
    if recorded.cases.is_empty() {
        let names: Vec<String> = logs.iter().map(|log| log.display().to_string()).collect();
        return Err(no_case(&names.join(", "), &recorded.left_out));
    }
    Ok(recorded)
}

fn decisions(
    toolbox: &Toolbox,
    [(old, settings), (new, new_settings)]: [(&PolicyFile, Option<Map<String, Value>>); 2],
    cases: &[LoadedCase],
) -> Result<DecisionComparison, CommandError> {
    let sandbox = Sandbox::new(toolbox, FuelCounting::On)?;
    // Each policy keeps a state of its own.
    let mut subjects = (Subject::numbered(&sandbox, old, 0), Subject::numbered(&sandbox, new, 1));
    let mut old = Side { subject: &mut subjects.0, settings };
    let mut new = Side { subject: &mut subjects.1, settings: new_settings };
    let mut progress = Progress::stderr("requests", cases.len());
    compare(&mut old, &mut new, cases, &mut || progress.advance())
        .map_err(|(source, error)| not_loadable(&source, &error))
}

impl Comparison<'_> {
    /// Fails if anything differs but the bytes.
    fn check(&self) -> Result<(), CommandError> {
        let changed = self.decisions.as_ref().map_or(0, |decisions| decisions.requests - decisions.same);
        let requests = self.decisions.as_ref().map_or(0, |decisions| decisions.requests);
        match (changed, self.files.has_changes()) {
            (0, false) => Ok(()),
            (0, true) => {
                Err(CommandError::Run("error: the policies differ in what they need or offer".to_owned()))
            }
            _ => Err(CommandError::Run(format!("error: {changed} of {requests} decisions differ"))),
        }
    }
}
