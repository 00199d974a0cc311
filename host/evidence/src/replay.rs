//! `pointsman replay`: decides the requests of decision logs again with another policy, offline.
//!
//! [`log`] reads lines, [`request`] replays one, [`pipeline`] does both on all cores, [`tally`] sums the results in the
//! order of the log, and [`report`] makes the report from the sums. The estimates are those of
//! [`pointsman_evaluation::off_policy`].

mod answer;
mod dimension;
mod filter;
mod gate;
mod groups;
mod html;
mod log;
mod names;
mod numbers;
mod outcome;
mod pipeline;
mod ratings;
mod report;
mod request;
mod size;
mod tally;
mod text;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::Args as ClapArgs;
use pointsman_author::case::input;
use pointsman_author::case::recorded::VisibleFacts;
use pointsman_author::subject::{
    LoadOptions, PolicyFile, Sandbox, SandboxConfig, SandboxLimits, Subject, not_loadable,
};
use pointsman_author::verb::run::settings_text;
use pointsman_author::verb::source;
use pointsman_author::{Toolbox, interrupt};
use pointsman_policy::{FuelCounting, Isolation, Policy};
use pointsman_terminal::{CommandError, Paint, Progress, print};

use self::filter::Filter;
use self::gate::Limits;
use self::report::{PolicyReport, Report};
use self::request::{ClusterBy, ReplayOptions, Replayer};
use self::tally::Tally;

/// Most threads.
const MAX_THREADS: usize = 256;
/// Chunks between two updates of the progress.
const PROGRESS_EVERY: u64 = 16;

const MORE: &str = "\
Decides the logged requests again with another policy, in the gateway's sandbox and under
its limits. Where the choice is the same, the outcome is known; elsewhere cost, latency,
failures and ratings are estimated, with 95 % intervals. Records that lack what the policy
can see are counted by reason. docs/replaying.md describes the estimates.

Examples:
  pointsman replay /var/log/pointsman/decisions --policy builtin:cost
  pointsman replay decisions/*.zst --policy . --settings new.toml --html replay.html
  pointsman replay decisions --policy new.wasm --max-failures 0 --max-cost-increase 5

Exit status: 0 replayed, 1 a limit is exceeded or the replay was interrupted, 2 usage,
3 the policy cannot be loaded.";

/// The arguments of `pointsman replay`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    /// Decision logs: files, plain or compressed with zstd, or folders of files
    #[arg(value_name = "LOG", required = true)]
    logs: Vec<PathBuf>,
    /// The policy: a folder, a WebAssembly file, or `builtin:NAME`
    #[arg(long, value_name = "FILE")]
    policy: String,
    /// Settings of the policy: JSON, or the path of a JSON or TOML file
    #[arg(long, value_name = "JSON")]
    settings: Option<String>,
    /// Take only requests of this route; may be repeated
    #[arg(long, value_name = "NAME")]
    route: Vec<String>,
    /// Take only requests with the key of this name; may be repeated
    #[arg(long, value_name = "NAME")]
    key: Vec<String>,
    /// Take only requests that this policy decided
    #[arg(long, value_name = "NAME")]
    decided_by: Option<String>,
    /// Take only requests that arrived at this time or later: 2026-11-30 or 2026-11-30T18:05:00Z
    #[arg(long, value_name = "TIME", value_parser = filter::time_ms)]
    since: Option<u64>,
    /// Take only requests that arrived before this time
    #[arg(long, value_name = "TIME", value_parser = filter::time_ms)]
    until: Option<u64>,
    /// Stop after this number of replayed records
    #[arg(long, value_name = "N", default_value_t = u64::MAX, hide_default_value = true)]
    limit: u64,
    /// Take only ratings of this name
    #[arg(long, value_name = "NAME")]
    rating: Option<String>,
    /// Requests that count as dependent on each other in the intervals
    #[arg(long, value_name = "KIND", value_enum, default_value_t = ClusterBy::Session)]
    cluster: ClusterBy,
    /// Time of one decision in milliseconds, after which it is a failure
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    deadline: u64,
    /// Keep instances between decisions, for policies that are slow to start. A policy that remembers requests in its
    /// memory decides differently from run to run then
    #[arg(long)]
    keep_instances: bool,
    /// Threads that replay; all cores without it
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Exit with status 1 if the policy fails at more than this percentage of the requests
    #[arg(long, value_name = "PERCENT")]
    max_failures: Option<f64>,
    /// Exit with status 1 if the predicted cost is higher by more than this percentage, or cannot be predicted
    #[arg(long, value_name = "PERCENT")]
    max_cost_increase: Option<f64>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    /// Write the report as a page, which needs no other file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Use no colours
    #[arg(long)]
    no_colour: bool,
}

/// Runs the command.
///
/// # Errors
/// Fails with exit status 1 if a limit is exceeded or the replay was interrupted, 2 for wrong input, and 3 if the policy
/// cannot be loaded.
pub fn run(args: &Args, toolbox: &Toolbox) -> Result<(), CommandError> {
    let files = log::files(&args.logs)?;
    let settings =
        args.settings.as_deref().map(settings_text).transpose()?.unwrap_or_else(|| "{}".to_owned());
    let file = source::policy(&args.policy, toolbox)?;
    let threads = threads(args.threads);
    let policy = load(args, toolbox, &file, &settings, threads)?;
    let options = ReplayOptions {
        filter: Arc::new(args.filter()),
        visible: VisibleFacts::of(&file.inspection),
        cluster: args.cluster,
        rating: args.rating.as_deref().map(Arc::from),
    };
    let replayers = (0..threads).map(|_| Replayer::new(Arc::clone(&policy), &options));
    let replayers: Vec<Replayer> = replayers.collect::<Result<_, _>>().map_err(CommandError::run)?;
    let stop = interrupt::watch()?;
    let tally = replay(args, &files, replayers, &stop)?;
    let about = PolicyReport { source: args.policy.clone(), digest: policy.digest().to_string(), settings };
    let report = Report::new(about, &files, stop.load(Ordering::Relaxed), tally);
    show(args, &report)?;
    let limits =
        Limits { failures_percent: args.max_failures, cost_increase_percent: args.max_cost_increase };
    limits.check(&report)
}

impl Args {
    fn filter(&self) -> Filter {
        Filter {
            routes: self.route.clone(),
            keys: self.key.clone(),
            decided_by: self.decided_by.clone(),
            since_ms: self.since,
            until_ms: self.until,
        }
    }
}

fn threads(given: Option<usize>) -> usize {
    given.or_else(|| thread::available_parallelism().ok().map(usize::from)).unwrap_or(1).clamp(1, MAX_THREADS)
}

/// Loads the policy for all threads.
fn load(
    args: &Args,
    toolbox: &Toolbox,
    file: &PolicyFile,
    settings: &str,
    threads: usize,
) -> Result<Arc<Policy>, CommandError> {
    let calls = u32::try_from(threads).unwrap_or(u32::MAX);
    let config = SandboxConfig::new(toolbox, FuelCounting::Off);
    let limits = SandboxLimits { concurrent_calls: calls, ..SandboxLimits::default() };
    let sandbox = Sandbox::with_limits(config, limits)?;
    let isolation = match args.keep_instances {
        true => Isolation::Warm { recycle_after: u32::MAX, instances: calls },
        false => Isolation::Fresh,
    };
    let limits = pointsman_policy::Limits {
        deadline: Duration::from_millis(args.deadline),
        concurrency: calls,
        ..input::limits(None)
    };
    let options = LoadOptions { settings: settings.to_owned(), grants: None, limits, isolation };
    Subject::new(&sandbox, file).load(&options).map_err(|error| not_loadable(&file.source, &error))
}

/// Replays all lines.
fn replay(
    args: &Args,
    files: &[PathBuf],
    replayers: Vec<Replayer>,
    stop: &AtomicBool,
) -> Result<Tally, CommandError> {
    let mut tally = Tally::new(args.limit);
    let progress = Progress::step("replaying");
    let (total, mut done, mut chunks) = (log::total_bytes(files).max(1), 0, 0_u64);
    pipeline::run(files, replayers, stop, |chunk| {
        done += chunk.bytes;
        chunks += 1;
        let goes_on = tally.add(files, chunk);
        if chunks.is_multiple_of(PROGRESS_EVERY) {
            progress.show(&bar(done as f64 / total as f64, tally.replayed.records));
        }
        goes_on
    })?;
    tally.finish();
    Ok(tally)
}

/// Displays a share of the work as a bar.
fn bar(share: f64, records: u64) -> String {
    const WIDTH: usize = 30;
    let filled = ((share * WIDTH as f64) as usize).min(WIDTH);
    let (full, empty) = ("█".repeat(filled), "░".repeat(WIDTH - filled));
    format!("replaying {full}{empty} {:3.0} % {records} records", (share * 100.0).min(100.0))
}

fn show(args: &Args, report: &Report) -> Result<(), CommandError> {
    if let Some(path) = &args.html {
        fs::write(path, html::render(report))
            .map_err(|error| CommandError::Run(format!("error: cannot write {}: {error}", path.display())))?;
    }
    if args.json {
        print(serde_json::to_string_pretty(report).map_err(CommandError::run)?)
    } else {
        print(text::render(report, Paint::stdout(args.no_colour)).trim_end())
    }
}

#[cfg(test)]
mod tests;
