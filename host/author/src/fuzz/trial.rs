//! One input: its calls, what they cost, and the problem that they show.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use pointsman_domain::plan::PlanStep;
use pointsman_policy::{CallTrace, Grants, Limits, LoadError, Policy, PolicyAnswer};

use super::dictionary::{Dictionary, Word};
use super::finding::{Problem, any_answer, kind};
use super::generate::task_outcome;
use super::random::Random;
use crate::case::Case;
use crate::case::words::IsolationName;
use crate::execution::{RequestRun, Stopped, execute_case};
use crate::observed::Observed;
use crate::subject::{LoadOptions, Sandbox, Subject};

/// Time of one call. Executed instructions are the limit; this one is for calls that wait.
const DEADLINE: Duration = Duration::from_secs(60);
/// Most runs of one case in which results of tasks are added.
const MAX_STEPS: usize = 10;
/// Units of size of an input without content and candidates.
const BASE_UNITS: u64 = 512;

/// An input that was run.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The input, with the results of tasks that its plans needed.
    pub case: Case,
    /// Answers in order.
    pub observed: Vec<Observed>,
    /// Problem that a call shows.
    pub problem: Option<Problem>,
    /// Executed instructions of the most expensive call.
    pub fuel: u64,
    /// Executed instructions of the calls for the request.
    pub total_fuel: u64,
    /// Size of the input.
    pub units: u64,
    /// Behaviour of the policy, without what differs for each input.
    pub behaviour: u64,
    /// Words that it looked for, if they are new.
    pub words: Vec<Word>,
}

/// The reason why an input was not run.
#[derive(Clone, Debug, PartialEq)]
pub enum Skipped {
    /// The policy or the gateway rejects the settings or the state.
    Rejected,
    /// There was no capacity for a call.
    NoCapacity,
    /// The policy does not load with these settings.
    NotLoaded(Box<Problem>),
}

/// Parameters of trials.
#[derive(Clone, Copy, Debug)]
pub struct TrialOptions {
    /// Most instructions of one call.
    pub max_fuel: u64,
    /// Grants; `None` for all that the imports need.
    pub grants: Option<Grants>,
}

/// Returns the options under which the policy of a case is loaded.
pub fn load_options(case: &Case, options: &TrialOptions) -> LoadOptions {
    let of_case = LoadOptions::of_case(case);
    let limits = Limits { deadline: DEADLINE, ..of_case.limits };
    LoadOptions { limits, grants: options.grants.or(of_case.grants), ..of_case }
}

/// Runs a case. With random numbers, results of tasks are made up where plans need them.
///
/// # Errors
/// Fails if the case cannot be run.
pub fn run(
    subject: &mut Subject<'_>,
    case: &Case,
    options: &TrialOptions,
    dictionary: &Dictionary,
    random: Option<&mut Random>,
) -> Result<Trial, Skipped> {
    let policy = match subject.load(&load_options(case, options)) {
        Ok(policy) => policy,
        Err(LoadError::Start(failure) | LoadError::Probe(failure)) => {
            let problem = Problem::of_failure("load", &failure, options.max_fuel);
            let problem = problem.ok_or(Skipped::NoCapacity)?;
            return Err(Skipped::NotLoaded(Box::new(Problem { kind: kind::LOAD, ..problem })));
        }
        Err(_) => return Err(Skipped::Rejected),
    };
    let mut case = case.clone();
    let run = run_to_end(subject.sandbox(), &policy, &mut case, dictionary, random)?;
    summarise(case, &run, options, dictionary)
}

fn run_to_end(
    sandbox: &Sandbox,
    policy: &Policy,
    case: &mut Case,
    dictionary: &Dictionary,
    mut random: Option<&mut Random>,
) -> Result<RequestRun, Skipped> {
    for _ in 0..MAX_STEPS {
        let run = execute_case(sandbox, policy, case).map_err(|_| Skipped::Rejected)?;
        let is_short_of_results = matches!(run.stopped, Some(Stopped::NoResult { .. }));
        let is_completed = match &mut random {
            Some(random) if is_short_of_results => add_results(&run, case, dictionary, random),
            _ => false,
        };
        if !is_completed {
            return Ok(run);
        }
    }
    execute_case(sandbox, policy, case).map_err(|_| Skipped::Rejected)
}

/// Makes up results for the tasks of the last plan. Returns whether there are any.
fn add_results(run: &RequestRun, case: &mut Case, dictionary: &Dictionary, random: &mut Random) -> bool {
    let Some(Ok(PolicyAnswer::Step(PlanStep::Run(plan)))) = run.last().map(|call| &call.answer) else {
        return false;
    };
    let known: BTreeSet<String> = case.tasks.iter().map(|task| task.name.clone()).collect();
    let tasks = plan.tasks().iter().filter(|task| !known.contains(task.name()));
    let made: Vec<_> =
        tasks.map(|task| task_outcome(random, dictionary, task.name(), task.optional)).collect();
    case.tasks.extend_from_slice(&made);
    !made.is_empty()
}

fn summarise(
    case: Case,
    run: &RequestRun,
    options: &TrialOptions,
    dictionary: &Dictionary,
) -> Result<Trial, Skipped> {
    let observed = Observed::of_run(run);
    let failures = run.earlier.iter().map(|call| (call_name(call.kind), call.failure.as_ref())).chain(
        run.calls.iter().enumerate().map(|(number, call)| {
            (if number == 0 { "decision" } else { "resume" }, call.answer.as_ref().err())
        }),
    );
    let failure = failures.into_iter().find_map(|(call, failure)| failure.map(|failure| (call, failure)));
    let problem = match failure {
        None => None,
        Some((call, failure)) => {
            let problem = Problem::of_failure(call, failure, options.max_fuel);
            Some(problem.ok_or(Skipped::NoCapacity)?)
        }
    };
    let fuels = || {
        let calls = run.calls.iter().filter_map(|call| call.fuel);
        run.earlier.iter().filter_map(|call| call.fuel).chain(calls).map(|fuel| fuel.total())
    };
    let mut words = Vec::new();
    for trace in traces(run) {
        words.append(&mut dictionary.unknown_of(trace));
    }
    Ok(Trial {
        units: units(&case, run),
        behaviour: behaviour(run, &observed, fuels().max().unwrap_or(0)),
        fuel: fuels().max().unwrap_or(0),
        total_fuel: run.fuel().unwrap_or(0),
        observed,
        problem,
        words,
        case,
    })
}

fn call_name(kind: &'static str) -> &'static str {
    if kind == "request" { "decision" } else { kind }
}

fn traces(run: &RequestRun) -> impl Iterator<Item = &CallTrace> {
    run.earlier.iter().map(|call| &call.trace).chain(run.calls.iter().map(|call| &call.trace))
}

/// Returns the size of an input: bytes that the policy can read, and the records that it gets.
fn units(case: &Case, run: &RequestRun) -> u64 {
    let input = &run.input;
    let text: usize = input.prompt.parts().iter().map(|part| part.bytes.min(1 << 20)).sum();
    let readable = text.min(crate::case::input::limits(case.limits).prompt_bytes as usize);
    let attributes = |of: &std::collections::BTreeMap<String, String>| -> usize {
        of.iter().map(|(key, value)| key.len() + value.len()).sum()
    };
    let candidates: usize = input
        .candidates
        .iter()
        .map(|it| 64 + it.model.id.as_str().len() + attributes(&it.model.attributes))
        .sum();
    let tools: usize = input.prompt.tool_names().iter().map(|name| 16 + name.len()).sum();
    let outputs: usize = run.results.iter().filter_map(|it| it.output.as_ref()).map(|it| it.len()).sum();
    let state = case.state.as_ref().map_or(0, attributes);
    let parts = 32 * (input.prompt.parts().len() + input.prompt.message_count());
    let size =
        readable + attributes(&input.request.attributes) + candidates + tools + outputs + state + parts;
    BASE_UNITS + size as u64
}

/// Returns a number for the behaviour of a policy: kinds of answers, labels, imports that it called, and
/// the magnitude of executed instructions.
fn behaviour(run: &RequestRun, observed: &[Observed], fuel: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    for answer in observed {
        answer.kind.hash(&mut hasher);
        let label = answer.label.as_deref().unwrap_or_default();
        label.chars().filter(|it| !it.is_ascii_digit()).for_each(|it| it.hash(&mut hasher));
        answer.targets.len().checked_ilog2().hash(&mut hasher);
        if let Some(plan) = &answer.plan {
            (plan.tasks.len(), plan.next.starts_with("resume")).hash(&mut hasher);
        }
        answer.problem.as_ref().map(|problem| &problem.kind).hash(&mut hasher);
    }
    let functions: BTreeSet<(&str, &str)> =
        traces(run).flat_map(|trace| &trace.imports).map(|call| (call.interface, call.function)).collect();
    functions.hash(&mut hasher);
    run.stopped.is_some().hash(&mut hasher);
    // Two steps for each doubling.
    fuel.saturating_mul(fuel).checked_ilog2().hash(&mut hasher);
    hasher.finish()
}

/// Returns the problem of an input that a fresh instance decides differently, or that gives another answer
/// when it is run again.
pub fn compare(
    subject: &mut Subject<'_>,
    trial: &Trial,
    options: &TrialOptions,
    dictionary: &Dictionary,
) -> Option<Problem> {
    let is_warm = trial.case.isolation == Some(IsolationName::Warm) && !trial.case.earlier.is_empty();
    let mut other = trial.case.clone();
    if is_warm {
        other.earlier.clear();
        other.isolation = None;
    }
    let other = run(subject, &other, options, dictionary, None).ok()?;
    if is_warm {
        // A reason may have figures of the instance.
        let first = other.observed.iter().zip(&trial.observed).find(|(a, b)| decision(a) != decision(b));
        let (fresh, kept) = first?;
        let message = format!(
            "an instance that served {} earlier requests decides differently: {}; a fresh one: {}",
            trial.case.earlier.len(),
            kept.summary(),
            fresh.summary()
        );
        let problem = Problem::new(kind::HISTORY, "decision", &message, super::finding::same_answer(fresh));
        return Some(problem.at("history"));
    }
    if other.observed == trial.observed && other.fuel == trial.fuel {
        return None;
    }
    let summary = |trial: &Trial| {
        let answers: Vec<String> = trial.observed.iter().map(Observed::summary).collect();
        format!("{} ({} instructions)", answers.join("; "), trial.total_fuel)
    };
    let message =
        format!("the same input gives different answers: {}; and {}", summary(trial), summary(&other));
    let expect =
        trial.observed.last().map_or_else(|| any_answer(options.max_fuel), super::finding::same_answer);
    Some(Problem::new(kind::NONDETERMINISTIC, "decision", &message, expect).at("nondeterministic"))
}

/// Returns an answer without what may differ between instances.
fn decision(observed: &Observed) -> Observed {
    Observed { reason: None, ..observed.clone() }
}
