//! `pointsman policy test`

mod coverage;
mod report;
pub(super) mod selection;

use std::path::PathBuf;

use clap::Args as ClapArgs;
use pointsman_policy::{FuelCounting, LoadError};
use pointsman_state::WriteError;
use pointsman_terminal::{CommandError, Paint, Progress, print};

use crate::Toolbox;
use crate::case::folder::LoadedCase;
use crate::check::{Difference, Evidence, differences};
use crate::execution::execute_case;
use crate::observed::Observed;
use crate::subject::{LoadOptions, PolicyFile, Sandbox, Subject};
use crate::verb::source;
use crate::watch::SourceWatch;

use coverage::Coverage;

const MORE: &str = "\
A folder is built first, and its cases are in its folder `cases`. docs/policy-cases.md
describes the format; `pointsman schema --cases` prints its JSON Schema for editors.

Examples:
  pointsman policy test
  pointsman policy test policy.wasm --cases cases
  pointsman policy test builtin:cost --cases cases/cheap.toml --json
  pointsman policy test policy.wasm --record /var/log/pointsman/decisions

Exit status: 0 all cases passed, 1 a case failed, 2 usage, 3 the policy cannot be loaded.";

pub use report::failed_cases;

/// The arguments of `pointsman policy test`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    /// The policy: a folder, a WebAssembly file, or `builtin:NAME`
    #[arg(value_name = "POLICY", default_value = ".")]
    source: String,
    /// A folder or file of cases; by default `cases` in the policy's folder
    #[arg(long, value_name = "PATH")]
    cases: Option<PathBuf>,
    /// Test this WebAssembly file instead of building the folder
    #[arg(long, value_name = "FILE")]
    policy: Option<String>,
    /// Take cases from a decision log: a file, or the folder of its files
    #[arg(long, value_name = "LOG", conflicts_with = "cases")]
    record: Option<PathBuf>,
    /// Take only requests of the log that this policy decided
    #[arg(long, value_name = "NAME", requires = "record")]
    decided_by: Option<String>,
    /// Settings for the requests of the log: JSON, or the path of a JSON or TOML file
    #[arg(long, value_name = "JSON", requires = "record")]
    settings: Option<String>,
    /// Most requests that are taken from the log
    #[arg(long, value_name = "N", default_value_t = 10_000, requires = "record")]
    limit: usize,
    /// Run only cases whose name contains this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// List the labels, refusals and failures that the cases lead to, and compare them with the
    /// policy's description
    #[arg(long)]
    coverage: bool,
    /// Build and run again whenever a source or a case changes
    #[arg(long, conflicts_with = "json")]
    watch: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    /// Use no colours
    #[arg(long)]
    no_colour: bool,
}

/// The result of a case.
#[derive(Debug)]
pub struct CaseResult {
    /// Name of the case.
    pub name: String,
    /// File of the case.
    pub file: PathBuf,
    /// Differences from what was expected. None if the case passed.
    pub differences: Vec<Difference>,
    /// Answers in order.
    pub observed: Vec<Observed>,
    /// Lines that the policy logged.
    pub log: Vec<String>,
    /// Executed instructions, if they were counted.
    pub fuel: Option<u64>,
}

impl CaseResult {
    /// Returns whether the answers are as expected.
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Runs the command.
///
/// # Errors
/// Fails with exit status 1 if a case fails, 2 for wrong input, 3 if the policy cannot be loaded.
pub fn run(args: &Args, toolbox: &Toolbox) -> Result<(), CommandError> {
    let sandbox = Sandbox::new(toolbox, FuelCounting::On)?;
    if !args.watch {
        return run_once(args, toolbox, &sandbox);
    }
    let mut watch = SourceWatch::start(watched(args)?)?;
    loop {
        if let Err(error) = run_once(args, toolbox, &sandbox) {
            print(error)?;
        }
        print("waiting for changes; Ctrl-C ends")?;
        if watch.wait(&sandbox).is_break() {
            return Ok(());
        }
    }
}

/// Returns the folders and files whose changes lead to another run.
fn watched(args: &Args) -> Result<Vec<PathBuf>, CommandError> {
    let mut watched = vec![PathBuf::from(args.policy.as_ref().unwrap_or(&args.source))];
    match &args.record {
        Some(log) => watched.push(log.clone()),
        None => watched.push(source::cases(&args.source, args.cases.as_deref())?),
    }
    Ok(watched)
}

fn run_once(args: &Args, toolbox: &Toolbox, sandbox: &Sandbox) -> Result<(), CommandError> {
    let (file, selection) = selection::of(args, toolbox)?;
    let results = run_cases(sandbox, &file, &selection.cases)?;
    let coverage = args.coverage.then(|| Coverage::of(&results, file.inspection.description.as_ref()));
    if args.json {
        let report = report::json(&file, &results, &selection, coverage.as_ref());
        print(serde_json::to_string_pretty(&report).map_err(CommandError::run)?)?;
    } else {
        let paint = Paint::stdout(args.no_colour);
        print(report::text(&results, &selection, coverage.as_ref(), paint).trim_end())?;
    }
    let failed = results.iter().filter(|result| !result.passed()).count();
    if failed == 0 {
        return Ok(());
    }
    Err(CommandError::Run(format!("error: {failed} of {} cases failed", results.len())))
}

/// Runs all cases.
///
/// # Errors
/// Fails with exit status 3 if no case could load the policy.
pub fn run_cases(
    sandbox: &Sandbox,
    file: &PolicyFile,
    cases: &[LoadedCase],
) -> Result<Vec<CaseResult>, CommandError> {
    let mut subject = Subject::new(sandbox, file);
    let mut progress = Progress::stderr("cases", cases.len());
    let mut results = Vec::new();
    let mut not_loaded: Option<LoadError> = None;
    let mut is_loaded = false;
    for case in cases {
        match run_case(&mut subject, case) {
            Ok(result) => {
                is_loaded = true;
                results.push(result);
            }
            Err(error) => {
                results.push(CaseResult::not_loaded(case, &error));
                not_loaded.get_or_insert(error);
            }
        }
        progress.advance();
    }
    drop(progress);
    match not_loaded {
        Some(error) if !is_loaded => Err(crate::subject::not_loadable(&file.source, &error)),
        _ => Ok(results),
    }
}

/// Runs one case. The rejection of settings is an answer.
fn run_case(subject: &mut Subject<'_>, loaded: &LoadedCase) -> Result<CaseResult, LoadError> {
    let case = &loaded.case;
    let policy = match subject.load(&LoadOptions::of_case(case)) {
        Ok(policy) => policy,
        Err(LoadError::Settings(text)) => return Ok(CaseResult::rejected(loaded, &text)),
        Err(LoadError::SettingsSchema(misfit)) => {
            return Ok(CaseResult::rejected(loaded, &misfit.to_string()));
        }
        Err(error) => return Err(error),
    };
    let run = match execute_case(subject.sandbox(), &policy, case) {
        Ok(run) => run,
        Err(error) => return Ok(CaseResult::with_invalid_state(loaded, &error)),
    };
    let observed = Observed::of_run(&run);
    let traces: Vec<_> = run.calls.iter().map(|call| &call.trace).collect();
    let differences = differences(&case.expect, &Evidence::new(&run, &observed, &traces));
    let lines = traces.iter().flat_map(|trace| &trace.log);
    let log = lines.map(|line| format!("{}: {}", line.level.as_str(), line.text)).collect();
    Ok(CaseResult { differences, log, fuel: run.fuel(), observed, ..CaseResult::empty(loaded) })
}

impl CaseResult {
    fn empty(case: &LoadedCase) -> Self {
        Self {
            name: case.name.clone(),
            file: case.file.clone(),
            differences: Vec::new(),
            observed: Vec::new(),
            log: Vec::new(),
            fuel: None,
        }
    }

    fn rejected(case: &LoadedCase, text: &str) -> Self {
        let observed = vec![Observed::settings_rejected(text)];
        let evidence = Evidence { observed: &observed, ..Evidence::default() };
        let differences = differences(&case.case.expect, &evidence);
        Self { differences, observed, ..Self::empty(case) }
    }

    fn with_invalid_state(case: &LoadedCase, error: &WriteError) -> Self {
        let difference = Difference {
            what: "state".to_owned(),
            expected: "values that the gateway would keep".to_owned(),
            actual: error.to_string(),
        };
        Self { differences: vec![difference], ..Self::empty(case) }
    }

    fn not_loaded(case: &LoadedCase, error: &LoadError) -> Self {
        let difference = Difference {
            what: "load".to_owned(),
            expected: "the policy is loaded".to_owned(),
            actual: error.to_string(),
        };
        Self { differences: vec![difference], ..Self::empty(case) }
    }
}
