//! `pointsman policy fuzz`

mod report;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args as ClapArgs;
use pointsman_policy::{FuelCounting, Inspection, LoadError};
use pointsman_terminal::{CommandError, Paint, Progress, print};
use serde_json::{Map, Value};

use crate::Toolbox;
use crate::case::{Case, folder};
use crate::fuzz::campaign::{Campaign, CampaignEnd, CampaignOptions, CampaignReport};
use crate::fuzz::corpus::Corpus;
use crate::fuzz::generate::Features;
use crate::fuzz::settings::variations;
use crate::fuzz::trial::{TrialOptions, load_options};
use crate::fuzz::{case_file, finding::Finding};
use crate::interrupt;
use crate::subject::{PolicyFile, Sandbox, SandboxConfig, SandboxLimits, Subject, not_loadable};
use crate::verb::run::settings_text;
use crate::verb::source;

/// Time of a campaign without another limit.
const TIME: Duration = Duration::from_secs(60);
/// Folder of findings, in the policy's folder or the current one.
const FOLDER: &str = "fuzz";
/// Most workers.
const MAX_WORKERS: usize = 16;
/// Most settings with which inputs are run.
const MAX_SETTINGS: usize = 7;

const MORE: &str = "\
Runs random requests, candidates, task results and kept values through the policy in the
gateway's sandbox. Reports traps, invalid answers, endless and slow calls, exceeded
limits, and decisions that depend on the instance. Each finding is made as small as
possible and written as a case file, which `pointsman policy test` runs.
docs/fuzzing-policies.md describes the kinds of findings.

Examples:
  pointsman policy fuzz
  pointsman policy fuzz policy.wasm --time 5m --settings settings.toml
  pointsman policy fuzz policy.wasm --runs 20000 --seed 1 --json     for CI: always the same

Exit status: 0 nothing was found, 1 something was found, 2 usage, 3 the policy cannot be
loaded.";

/// The arguments of `pointsman policy fuzz`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    /// The policy: a folder, a WebAssembly file, or `builtin:NAME`
    #[arg(value_name = "POLICY", default_value = ".")]
    policy: String,
    /// Time after which it ends, such as `90s` or `5m` [default: 60s, or none with --runs]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    time: Option<Duration>,
    /// Number of inputs after which it ends
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// Make the same inputs as another run with this seed [default: another one each time]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Settings of the policy: JSON, or the path of a JSON or TOML file
    #[arg(long, value_name = "JSON")]
    settings: Option<String>,
    /// Begin with these cases; by default those in `cases` in the policy's folder, if there are any
    #[arg(long, value_name = "PATH")]
    cases: Option<PathBuf>,
    /// Folder for the cases of findings; by default `fuzz` in the policy's folder
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Instructions that one call may execute
    #[arg(long, value_name = "FUEL", default_value_t = 100_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    max_fuel: u64,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    /// Use no colours
    #[arg(long)]
    no_colour: bool,
}

/// Results of the command.
struct Summary {
    seed: u64,
    seconds: f64,
    end: CampaignEnd,
    report: CampaignReport,
    /// Files of the findings, in their order.
    files: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// Fails with exit status 1 if something is found, 2 for wrong input, 3 if the policy cannot be loaded.
pub fn run(args: &Args, toolbox: &Toolbox) -> Result<(), CommandError> {
    let seeds = seeds(args)?;
    let file = source::policy(&args.policy, toolbox)?;
    let workers = thread::available_parallelism().map_or(1, usize::from).min(MAX_WORKERS);
    let config = SandboxConfig::new(toolbox, FuelCounting::On);
    let concurrent_calls = u32::try_from(workers).unwrap_or(1);
    let limits = SandboxLimits { fuel: args.max_fuel, concurrent_calls };
    let sandbox = Sandbox::with_limits(config, limits)?;
    let mut subjects: Vec<Subject<'_>> =
        (0..workers).map(|number| Subject::numbered(&sandbox, &file, number)).collect();
    let options = TrialOptions { max_fuel: args.max_fuel, grants: None };
    let mut corpus = Corpus::default();
    seeds.iter().for_each(|seed| corpus.add_seed(seed));
    let settings = first_settings(args, &seeds)?;
    let Some(first) = subjects.first_mut() else { return Err(CommandError::run("no worker")) };
    let policy =
        load(first, settings.clone(), &options).map_err(|error| not_loadable(&file.source, &error))?;
    let features = features(&policy, &file.inspection);
    corpus.settings = accepted(first, settings, &seeds, &options);
    for value in corpus.settings.clone().into_iter().flatten().flat_map(Map::into_iter) {
        corpus.dictionary.add_settings(&value.1);
    }

    let seed = args.seed.unwrap_or_else(new_seed);
    let time = args.time.or(args.runs.is_none().then_some(TIME));
    let options = CampaignOptions { seed, time, runs: args.runs, trial: options, features };
    let stop = interrupt::watch()?;
    let summary = campaign(&options, &mut subjects, corpus, &stop, args)?;
    show(args, &file, &summary)
}

fn campaign(
    options: &CampaignOptions,
    subjects: &mut [Subject<'_>],
    corpus: Corpus,
    stop: &AtomicBool,
    args: &Args,
) -> Result<Summary, CommandError> {
    let mut campaign = Campaign::new(*options, subjects, corpus, stop);
    let progress = Progress::step("fuzzing");
    let mut last = Duration::ZERO;
    let end = campaign.run(&mut |report, elapsed| {
        last = elapsed;
        progress.show(&report::progress(report, elapsed));
    });
    drop(progress);
    let report = campaign.report;
    let folder = args.out.clone().unwrap_or_else(|| {
        let source = Path::new(&args.policy);
        if source.is_dir() { source.join(FOLDER) } else { PathBuf::from(FOLDER) }
    });
    let write = |finding: &Finding| case_file::write(&folder, finding, options.seed);
    let files = report.findings.iter().map(write).collect::<Result<_, _>>().map_err(CommandError::run)?;
    Ok(Summary { seed: options.seed, seconds: last.as_secs_f64(), end, report, files })
}

fn show(args: &Args, file: &PolicyFile, summary: &Summary) -> Result<(), CommandError> {
    if args.json {
        let report = report::json(file, summary);
        print(serde_json::to_string_pretty(&report).map_err(CommandError::run)?)?;
    } else {
        print(report::text(file, summary, Paint::stdout(args.no_colour)).trim_end())?;
    }
    match summary.report.findings.len() {
        0 => Ok(()),
        1 => Err(CommandError::Run("error: 1 finding".to_owned())),
        many => Err(CommandError::Run(format!("error: {many} findings"))),
    }
}

/// Reads the cases with which the campaign begins.
fn seeds(args: &Args) -> Result<Vec<Case>, CommandError> {
    let path = match source::cases(&args.policy, args.cases.as_deref()) {
        Ok(path) => path,
        Err(error) if args.cases.is_some() => return Err(error),
        Err(_) => return Ok(Vec::new()),
    };
    let cases = folder::load(&path).map_err(|error| CommandError::Input(error.to_string()))?;
    Ok(cases.into_iter().map(|loaded| loaded.case).collect())
}

/// Returns the settings of most inputs: the given ones, or those of the first case that has any.
fn first_settings(args: &Args, seeds: &[Case]) -> Result<Option<Map<String, Value>>, CommandError> {
    match &args.settings {
        Some(given) => serde_json::from_str(&settings_text(given)?).map(Some).map_err(CommandError::run),
        None => Ok(seeds
            .iter()
            .filter(|seed| seed.expect.settings_rejected.is_none())
            .find_map(|seed| seed.settings.clone())),
    }
}

fn load(
    subject: &mut Subject<'_>,
    settings: Option<Map<String, Value>>,
    options: &TrialOptions,
) -> Result<std::sync::Arc<pointsman_policy::Policy>, LoadError> {
    subject.load(&load_options(&Case { settings, ..Case::default() }, options))
}

/// Returns the settings that the policy accepts: the first ones, those of cases, and variations. Settings
/// with which it fails to load are kept, since that is a finding.
fn accepted(
    subject: &mut Subject<'_>,
    first: Option<Map<String, Value>>,
    seeds: &[Case],
    options: &TrialOptions,
) -> Vec<Option<Map<String, Value>>> {
    let mut accepted = vec![first.clone()];
    let of_seeds = seeds.iter().map(|seed| seed.settings.clone());
    let varied = first.iter().flat_map(variations).map(Some);
    for settings in of_seeds.chain(varied) {
        if accepted.len() > MAX_SETTINGS {
            break;
        }
        let is_rejected = matches!(
            load(subject, settings.clone(), options),
            Err(error) if !matches!(error, LoadError::Start(_) | LoadError::Probe(_))
        );
        if !is_rejected && !accepted.contains(&settings) {
            accepted.push(settings);
        }
    }
    accepted
}

fn features(policy: &pointsman_policy::Policy, inspection: &Inspection) -> Features {
    Features {
        orchestrates: policy.orchestrates(),
        keeps_state: inspection.gate.grants.contains(&"state"),
        wants_outcomes: policy.wants_outcomes(),
        wants_ratings: policy.wants_ratings(),
    }
}

/// Returns a seed that differs each time, short enough to be typed.
fn new_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_nanos()) ^ (since.as_secs() & 0xffff)
}

/// Parses a time such as `90s`, `5m` or `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    let parsed = units.iter().find_map(|(unit, ms)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(*ms)
    });
    match parsed {
        Some(ms) if ms > 0 => Ok(Duration::from_millis(ms)),
        _ => Err("give a number with a unit: ms, s, m or h".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["", "60", "s", "0s", "-1s", "1.5s", "99999999999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
