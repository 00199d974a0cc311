//! A campaign: batches of inputs until the time or the number of runs is used up.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pointsman_domain::candidate::{Candidate, can_serve};

use super::corpus::Corpus;
use super::finding::{Finding, Problem, any_answer, kind};
use super::generate::Features;
use super::minimise::minimise;
use super::trial::{self, Skipped, Trial, TrialOptions};
use super::worker::{BATCH, BatchPlan, InputResult};
use crate::case::Case;
use crate::case::input::decision_input;
use crate::observed::Observed;
use crate::subject::Subject;

/// Most findings. Further ones are counted only.
const MAX_FINDINGS: usize = 50;
/// Most runs in which a finding is made smaller.
const MINIMISING_RUNS: usize = 500;
/// The same for a finding whose runs take long.
const MINIMISING_SLOW_RUNS: usize = 60;
/// Runs before an input can be found to be slow.
const CALIBRATION: usize = 256;
/// Most figures from which the usual instructions are computed.
const MAX_FIGURES: usize = 100_000;
/// An input is slow if it executes this many times the usual instructions for its size.
const SLOW_FACTOR: u64 = 30;
/// Instructions below which no input is slow: about the gateway's default deadline of 20 ms.
const SLOW_LEAST: u64 = 20_000_000;
/// Most texts of refusals that are kept.
const MAX_REFUSALS: usize = 20;

/// Parameters of a campaign.
#[derive(Clone, Copy, Debug)]
pub struct CampaignOptions {
    /// Seed.
    pub seed: u64,
    /// Time after which it ends.
    pub time: Option<Duration>,
    /// Number of inputs after which it ends.
    pub runs: Option<u64>,
    /// Parameters of trials.
    pub trial: TrialOptions,
    /// Properties of the policy.
    pub features: Features,
}

/// The reason why a campaign ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CampaignEnd {
    /// Its time was used up.
    Time,
    /// Its number of inputs was used up.
    Runs,
    /// The operator stopped it.
    Interrupted,
}

/// Random inputs for a policy, and what they showed.
pub struct Campaign<'a, 's> {
    options: CampaignOptions,
    workers: &'a mut [Subject<'s>],
    stop: &'a AtomicBool,
    corpus: Corpus,
    began: Instant,
    /// Results.
    pub report: CampaignReport,
    /// Executed instructions per unit of size.
    rates: Vec<u64>,
    /// Median of `rates` when there were half as many.
    usual_rate: Option<u64>,
}

/// Results of a campaign.
#[derive(Clone, Debug, Default)]
pub struct CampaignReport {
    /// Inputs.
    pub runs: u64,
    /// Inputs whose settings or state were rejected.
    pub rejected: u64,
    /// Findings in the order in which they were made.
    pub findings: Vec<Finding>,
    /// Problems beyond the most findings.
    pub more_findings: u64,
    /// Number of answers by kind.
    pub answers: BTreeMap<&'static str, u64>,
    /// Number of refusals by their text.
    pub refusals: BTreeMap<String, u64>,
    /// Executed instructions of the most expensive call of each input, as long as there is room.
    pub fuel: Vec<u64>,
    /// Behaviours that were distinguished.
    pub behaviours: usize,
}

impl<'a, 's> Campaign<'a, 's> {
    /// Creates a campaign.
    pub fn new(
        options: CampaignOptions,
        workers: &'a mut [Subject<'s>],
        corpus: Corpus,
        stop: &'a AtomicBool,
    ) -> Self {
        Self {
            options,
            workers,
            stop,
            corpus,
            began: Instant::now(),
            report: CampaignReport::default(),
            rates: Vec::new(),
            usual_rate: None,
        }
    }

    /// Runs inputs until the end. `progress` is called after each batch.
    pub fn run(&mut self, progress: &mut dyn FnMut(&CampaignReport, Duration)) -> CampaignEnd {
        let ends = self.options.time.and_then(|time| self.began.checked_add(time));
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return CampaignEnd::Interrupted;
            }
            if ends.is_some_and(|ends| Instant::now() >= ends) {
                return CampaignEnd::Time;
            }
            let left = self.options.runs.map_or(u64::MAX, |runs| runs.saturating_sub(self.report.runs));
            if left == 0 {
                return CampaignEnd::Runs;
            }
            let plan = BatchPlan {
                seed: self.options.seed,
                first: self.report.runs,
                inputs: usize::try_from(left).unwrap_or(BATCH).min(BATCH),
                corpus: &self.corpus,
                features: self.options.features,
                options: self.options.trial,
                ends,
                stop: self.stop,
            };
            let results = plan.run(self.workers);
            results.into_iter().for_each(|result| self.take(result));
            self.report.behaviours = self.corpus.behaviours();
            progress(&self.report, self.began.elapsed());
        }
    }

    /// Takes the result of an input.
    fn take(&mut self, result: InputResult) {
        self.report.runs += 1;
        match result.trial {
            Ok(trial) => self.take_trial(trial),
            Err((case, Skipped::NotLoaded(problem))) => self.take_problem(case, *problem),
            Err((_, Skipped::Rejected)) => self.report.rejected += 1,
            Err((_, Skipped::NoCapacity)) => {}
        }
        for (case, problem) in result.compared {
            self.take_problem(case, problem);
        }
    }

    fn take_trial(&mut self, trial: Trial) {
        if let Some(last) = trial.observed.last() {
            *self.report.answers.entry(last.kind).or_default() += 1;
            self.count_refusal(last);
        }
        if self.report.fuel.len() < MAX_FIGURES {
            self.report.fuel.push(trial.fuel);
        }
        self.corpus.dictionary.add(trial.words.iter().cloned());
        self.corpus.record(trial.behaviour, &trial.case);
        let slow = self.slow(&trial);
        match trial.problem.or(slow) {
            Some(problem) => self.take_problem(trial.case, problem),
            None => self.add_rate(trial.fuel / trial.units.max(1)),
        }
    }

    fn count_refusal(&mut self, answer: &Observed) {
        let Some(problem) = answer.problem.as_ref().filter(|_| answer.kind == "refusal") else { return };
        let text = format!("{}: {}", problem.kind, problem.text);
        if self.report.refusals.contains_key(&text) || self.report.refusals.len() < MAX_REFUSALS {
            *self.report.refusals.entry(text).or_default() += 1;
        }
    }

    fn add_rate(&mut self, rate: u64) {
        if self.rates.len() >= MAX_FIGURES {
            return;
        }
        self.rates.push(rate);
        if self.rates.len() >= CALIBRATION && self.rates.len().is_power_of_two() {
            let mut sorted = self.rates.clone();
            sorted.sort_unstable();
            self.usual_rate = sorted.get(sorted.len() / 2).copied();
        }
    }

    /// Returns the problem of an input that executes many more instructions than others of its size.
    fn slow(&self, trial: &Trial) -> Option<Problem> {
        let most =
            self.usual_rate?.max(1).saturating_mul(trial.units).saturating_mul(SLOW_FACTOR).max(SLOW_LEAST);
        if trial.fuel <= most {
            return None;
        }
        let message = format!(
            "a call executes {} instructions, more than {SLOW_FACTOR} times as many as others of this size",
            trial.fuel
        );
        Some(Problem::new(kind::SLOW, "decision", &message, any_answer(most)).at("slow"))
    }

    fn take_problem(&mut self, case: Case, problem: Problem) {
        if let Some(known) = self.report.findings.iter_mut().find(|known| known.problem.is_same(&problem)) {
            known.times += 1;
            return;
        }
        if self.report.findings.len() == MAX_FINDINGS {
            self.report.more_findings += 1;
            return;
        }
        let (run, seconds) = (self.report.runs, self.began.elapsed().as_secs_f64());
        let (case, problem) = self.minimised(case, problem);
        let case = Case { expect: problem.expect.clone(), ..case };
        self.report.findings.push(Finding { problem, case, run, seconds, times: 1 });
    }

    /// Makes the case of a problem smaller. The problem is that of the smaller case.
    fn minimised(&mut self, case: Case, problem: Problem) -> (Case, Problem) {
        let most = match problem.kind {
            // Cases of growth are made of small ones, and those that do not load have only settings.
            kind::GROWTH | kind::LOAD => return (case, problem),
            "deadline" | kind::SLOW => MINIMISING_SLOW_RUNS,
            _ => MINIMISING_RUNS,
        };
        let mut smallest = problem.clone();
        let mut shows = |case: &Case| match self.problem_of(case, &problem) {
            Some(found) => {
                smallest = found;
                true
            }
            None => false,
        };
        // A problem of an earlier request is easier to see in the request itself.
        let simpler = earlier_requests(&case).find(|case| shows(case));
        let case = minimise(&simpler.unwrap_or(case), most, &mut shows);
        (case, smallest)
    }

    /// Returns the problem of a case, if it is the same as another one.
    fn problem_of(&mut self, case: &Case, expected: &Problem) -> Option<Problem> {
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        if !is_possible(case, self.options.features.orchestrates) {
            return None;
        }
        let (options, dictionary) = (self.options.trial, &self.corpus.dictionary);
        let worker = self.workers.first_mut()?;
        let trial = trial::run(worker, case, &options, dictionary, None).ok()?;
        let found = match expected.kind {
            kind::HISTORY | kind::NONDETERMINISTIC if trial.problem.is_none() => {
                trial::compare(worker, &trial, &options, dictionary)
            }
            kind::SLOW => self.slow(&trial),
            _ => trial.problem,
        };
        found.filter(|found| found.is_same(expected))
    }
}

/// Returns the earlier requests of a case, each as a case of its own.
fn earlier_requests(case: &Case) -> impl Iterator<Item = Case> {
    case.earlier.iter().filter_map(|call| {
        Some(Case {
            request: call.request.clone()?,
            candidates: call.candidates.clone().or_else(|| case.candidates.clone()),
            earlier: Vec::new(),
            isolation: None,
            ..case.clone()
        })
    })
}

/// Returns whether the gateway can make the request of a case: there are candidates, and for a routing
/// policy all of them can serve it.
fn is_possible(case: &Case, orchestrates: bool) -> bool {
    let input = decision_input(case, orchestrates);
    let serves = |candidate: &Candidate| can_serve(&candidate.model, &input.request);
    !input.candidates.is_empty() && (orchestrates || input.candidates.iter().all(serves))
}
