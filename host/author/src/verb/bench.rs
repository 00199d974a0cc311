//! `pointsman policy bench`

mod report;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args as ClapArgs;
use pointsman_policy::{DecisionInput, FuelCounting, Isolation, Limits, Policy, PolicyFailure};
use pointsman_terminal::{CommandError, Progress, print};

use crate::Toolbox;
use crate::case::format::{CandidateEntry, CandidateFormat, Case, Messages, RequestFormat};
use crate::case::{folder, input};
use crate::subject::{LoadOptions, PolicyFile, Sandbox, SandboxConfig, Subject, not_loadable};
use crate::verb::run::settings_text;
use crate::verb::source;

use report::{Distribution, PolicyFigures};

/// Candidates of the request that is measured without a case.
const CANDIDATES: usize = 10;
/// Calls of an instance after which a kept one is replaced, as the configuration's default has it.
const RECYCLE_AFTER: u32 = 1_000;
/// Longest time of all rounds.
const MAX_TIME: Duration = Duration::from_secs(60);
/// Most rounds.
const MAX_ROUNDS: u32 = 1_000_000;
/// Time that one call may take here.
const DEADLINE: Duration = Duration::from_secs(10);

const MORE: &str = "\
Measures decisions in a fresh instance for each and in one that is kept, in rounds
that alternate with those of the baseline. Times depend on the machine; fuel, the
number of executed instructions, does not, so --max-fuel can stand in CI.

Examples:
  pointsman policy bench .
  pointsman policy bench policy.wasm --case cases/long.toml --max-fuel 200000
  pointsman policy bench policy.wasm --baseline builtin:cost --rounds 5000

Exit status: 0 measured, 1 the policy failed or used more fuel, 2 usage, 3 not loadable.";

/// The arguments of `pointsman policy bench`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    /// The policy: a folder, a WebAssembly file, or `builtin:NAME`
    #[arg(value_name = "POLICY", default_value = ".")]
    policy: String,
    /// Another policy to compare with, measured in the same rounds
    #[arg(long, value_name = "POLICY")]
    baseline: Option<String>,
    /// Decide the request of this case, rather than a chat with ten candidates
    #[arg(long, value_name = "FILE")]
    case: Option<PathBuf>,
    /// Settings of the policy: JSON, or the path of a JSON or TOML file
    #[arg(long, value_name = "JSON")]
    settings: Option<String>,
    /// Rounds that are measured
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=MAX_ROUNDS as i64))]
    rounds: u32,
    /// Rounds before those that are measured
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(0..=MAX_ROUNDS as i64))]
    warm_up: u32,
    /// Fail if a decision executes more instructions than this
    #[arg(long, value_name = "FUEL")]
    max_fuel: Option<u64>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// A policy that is measured.
struct Measured {
    fresh: Arc<Policy>,
    kept: Arc<Policy>,
    input: DecisionInput,
    load: Duration,
    times_fresh: Vec<Duration>,
    times_kept: Vec<Duration>,
}

/// Runs the command.
///
/// # Errors
/// Fails with exit status 1 if the policy fails or exceeds its fuel, 2 for wrong input, 3 if a policy
/// cannot be loaded.
pub fn run(args: &Args, toolbox: &Toolbox) -> Result<(), CommandError> {
    let file = source::policy(&args.policy, toolbox)?;
    let baseline = args.baseline.as_deref().map(|source| source::policy(source, toolbox)).transpose()?;
    let case = the_case(args)?;
    let sandbox = Sandbox::with(without_cache(toolbox, FuelCounting::Off))?;
    let mut measured = vec![Measured::load(&sandbox, &file, &case, args.settings.as_deref())?];
    if let Some(baseline) = &baseline {
        // The settings are those of the policy, which another one need not have.
        let case = Case { settings: None, ..case.clone() };
        measured.push(Measured::load(&sandbox, baseline, &case, None)?);
    }
    let rounds = measure(&sandbox, &mut measured, args)?;
    drop(sandbox);

    let counting = Sandbox::with(without_cache(toolbox, FuelCounting::On))?;
    let mut figures = Vec::new();
    for (it, file) in measured.iter().zip([Some(&file), baseline.as_ref()].into_iter().flatten()) {
        figures.push(it.figures(&counting, file)?);
    }
    if args.json {
        let report = report::json(&figures, rounds);
        print(serde_json::to_string_pretty(&report).map_err(CommandError::run)?)?;
    } else {
        print(report::text(&figures, rounds))?;
    }
    check_fuel(args.max_fuel, figures.first())
}

/// Configures a sandbox that compiles every policy, since that is measured.
fn without_cache(toolbox: &Toolbox, fuel: FuelCounting) -> SandboxConfig {
    SandboxConfig { cache: None, ..SandboxConfig::new(toolbox, fuel) }
}

fn check_fuel(most: Option<u64>, figures: Option<&PolicyFigures>) -> Result<(), CommandError> {
    match (most, figures.and_then(|figures| figures.fuel)) {
        (Some(most), Some(fuel)) if fuel > most => Err(CommandError::Run(format!(
            "error: the decision used {fuel} units of fuel, more than --max-fuel {most}"
        ))),
        _ => Ok(()),
    }
}

/// Returns the case of the file, or a chat with ten candidates.
fn the_case(args: &Args) -> Result<Case, CommandError> {
    if let Some(path) = &args.case {
        let cases = folder::load(path).map_err(|error| CommandError::Input(error.to_string()))?;
        let first = cases.into_iter().next();
        return first
            .map(|loaded| loaded.case)
            .ok_or_else(|| CommandError::Input(format!("error: {} has no case", path.display())));
    }
    let candidate = |number: usize| {
        CandidateEntry::Facts(Box::new(CandidateFormat {
            id: format!("example/model-{number}"),
            context_window: Some(128_000),
            input_price: Some(0.1 * (number + 1) as f64),
            output_price: Some(0.4 * (number + 1) as f64),
            quality: Some(0.5 + 0.04 * number as f64),
            first_token_ms: Some(150.0),
            tokens_per_second: Some(90.0),
            ..CandidateFormat::default()
        }))
    };
    let messages = Messages::Text("What is the capital of Peru? Answer in one word.".to_owned());
    Ok(Case {
        request: RequestFormat { messages: Some(messages), ..RequestFormat::default() },
        candidates: Some((0..CANDIDATES).map(candidate).collect()),
        ..Case::default()
    })
}

/// Measures all policies in rounds. Returns the number of rounds.
fn measure(sandbox: &Sandbox, measured: &mut [Measured], args: &Args) -> Result<u32, CommandError> {
    let began = Instant::now();
    let mut progress = Progress::stderr("rounds", args.rounds as usize);
    for round in 0..args.warm_up.saturating_add(args.rounds) {
        let counts = round >= args.warm_up;
        for it in measured.iter_mut() {
            let fresh = time(sandbox, &it.fresh, &it.input)?;
            let kept = time(sandbox, &it.kept, &it.input)?;
            if counts {
                it.times_fresh.push(fresh);
                it.times_kept.push(kept);
            }
        }
        if counts {
            progress.advance();
            if began.elapsed() > MAX_TIME {
                return Ok(round - args.warm_up + 1);
            }
        }
    }
    Ok(args.rounds)
}

fn time(sandbox: &Sandbox, policy: &Policy, input: &DecisionInput) -> Result<Duration, CommandError> {
    let started = Instant::now();
    let answer = sandbox.wait(policy.decide(input.clone()));
    let took = started.elapsed();
    answer.map(|_| took).map_err(|failure| failed(policy, &failure))
}

fn failed(policy: &Policy, failure: &PolicyFailure) -> CommandError {
    CommandError::Run(format!("error: {}: {failure}", policy.name()))
}

/// Returns the options under which a policy is measured.
fn options(case: &Case, settings: Option<&str>, isolation: Isolation) -> Result<LoadOptions, CommandError> {
    let of_case = LoadOptions::of_case(case);
    let settings = settings.map_or(Ok(of_case.settings), settings_text)?;
    let limits = Limits { deadline: DEADLINE, ..of_case.limits };
    Ok(LoadOptions { settings, limits, isolation, ..LoadOptions::of_case(case) })
}

impl Measured {
    fn load(
        sandbox: &Sandbox,
        file: &PolicyFile,
        case: &Case,
        settings: Option<&str>,
    ) -> Result<Self, CommandError> {
        let mut subject = Subject::new(sandbox, file);
        let mut load = |isolation| {
            let options = options(case, settings, isolation)?;
            subject.load(&options).map_err(|error| not_loadable(&file.source, &error))
        };
        let started = Instant::now();
        let fresh = load(Isolation::Fresh)?;
        let took = started.elapsed();
        let kept = load(Isolation::Warm { recycle_after: RECYCLE_AFTER, instances: 1 })?;
        let input = input::decision_input(case, fresh.orchestrates());
        Ok(Self { fresh, kept, input, load: took, times_fresh: Vec::new(), times_kept: Vec::new() })
    }

    fn figures(&self, counting: &Sandbox, file: &PolicyFile) -> Result<PolicyFigures, CommandError> {
        let mut subject = Subject::new(counting, file);
        let spec = self.fresh.spec();
        let options = LoadOptions {
            settings: spec.settings.clone(),
            grants: Some(spec.grants),
            limits: spec.limits,
            isolation: Isolation::Fresh,
        };
        let policy = subject.load(&options).map_err(|error| not_loadable(&file.source, &error))?;
        let examined = counting.wait(policy.examine(self.input.clone(), None));
        examined.answer.map_err(|failure| failed(&policy, &failure))?;
        Ok(PolicyFigures {
            source: file.source.clone(),
            bytes: file.code.bytes().len(),
            load: self.load,
            fresh: Distribution::of(&self.times_fresh),
            kept: Distribution::of(&self.times_kept),
            memory_bytes: self.fresh.usage().peak_memory.max(self.kept.usage().peak_memory),
            fuel: examined.fuel.map(|fuel| fuel.total()),
            start_fuel: examined.fuel.map(|fuel| fuel.start),
        })
    }
}
