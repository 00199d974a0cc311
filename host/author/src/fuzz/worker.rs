//! Workers, which run the inputs of a batch in parallel.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use super::corpus::Corpus;
use super::finding::Problem;
use super::generate::Features;
use super::growth;
use super::random::Random;
use super::trial::{self, Skipped, Trial, TrialOptions};
use crate::case::Case;
use crate::subject::Subject;

/// Inputs of a batch. It is the same for any number of workers, so that they find the same.
pub const BATCH: usize = 64;
/// One input in this many is run twice.
const REPEAT: u64 = 16;
/// One input in this many is grown in place of a random one.
const GROW: u64 = 128;

/// Inputs of a batch, which do not change while it runs.
#[derive(Clone, Copy, Debug)]
pub struct BatchPlan<'a> {
    /// Seed of the campaign.
    pub seed: u64,
    /// Number of the first input, from 0.
    pub first: u64,
    /// Number of inputs, at most [`BATCH`].
    pub inputs: usize,
    /// Cases and words.
    pub corpus: &'a Corpus,
    /// Properties of the policy.
    pub features: Features,
    /// Parameters of trials.
    pub options: TrialOptions,
    /// Time at which no further input is begun.
    pub ends: Option<Instant>,
    /// Set to begin no further input.
    pub stop: &'a AtomicBool,
}

/// The result of an input.
#[derive(Debug)]
pub struct InputResult {
    /// The input that was run, or the reason why it was not.
    pub trial: Result<Trial, (Case, Skipped)>,
    /// Problems that a comparison with other inputs shows, with their cases.
    pub compared: Vec<(Case, Problem)>,
}

impl BatchPlan<'_> {
    /// Runs the batch. Returns the results of its first inputs, all of them unless it was stopped.
    pub fn run(&self, workers: &mut [Subject<'_>]) -> Vec<InputResult> {
        let next = AtomicUsize::new(0);
        let results: Mutex<Vec<Option<InputResult>>> = Mutex::new((0..self.inputs).map(|_| None).collect());
        thread::scope(|scope| {
            for worker in workers {
                scope.spawn(|| self.work(worker, &next, &results));
            }
        });
        let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.into_iter().map_while(|result| result).collect()
    }

    fn work(&self, worker: &mut Subject<'_>, next: &AtomicUsize, results: &Mutex<Vec<Option<InputResult>>>) {
        while !self.is_over() {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= self.inputs {
                return;
            }
            let result = self.input(worker, self.first + place as u64);
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(slot) = results.get_mut(place) {
                *slot = Some(result);
            }
        }
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.ends.is_some_and(|ends| Instant::now() >= ends)
    }

    /// Makes and runs an input.
    fn input(&self, worker: &mut Subject<'_>, number: u64) -> InputResult {
        let mut random = Random::of(self.seed, number);
        let dictionary = &self.corpus.dictionary;
        if number % GROW == GROW - 1
            && let Some(case) = self.corpus.any(&mut random)
        {
            return self.grown(worker, &case);
        }
        let case = self.corpus.next(&mut random, self.features);
        let trial = match trial::run(worker, &case, &self.options, dictionary, Some(&mut random)) {
            Ok(trial) => trial,
            Err(skipped) => return InputResult { trial: Err((case, skipped)), compared: Vec::new() },
        };
        let mut compared = Vec::new();
        if trial.problem.is_none() && (self.compares_history(&trial.case) || number.is_multiple_of(REPEAT)) {
            let problem = trial::compare(worker, &trial, &self.options, dictionary);
            compared.extend(problem.map(|problem| (trial.case.clone(), problem)));
        }
        InputResult { trial: Ok(trial), compared }
    }

    /// Returns whether earlier calls must not change the decision: they were requests, and the policy keeps
    /// no state.
    fn compares_history(&self, case: &Case) -> bool {
        let only_requests = case.earlier.iter().all(|call| call.request.is_some());
        case.isolation.is_some() && only_requests && !case.earlier.is_empty() && !self.features.keeps_state
    }

    fn grown(&self, worker: &mut Subject<'_>, case: &Case) -> InputResult {
        let dictionary = &self.corpus.dictionary;
        let mut fuel = |case: &Case| {
            let trial = trial::run(worker, case, &self.options, dictionary, None).ok()?;
            let is_over = trial.problem.as_ref().is_some_and(|problem| problem.kind == "deadline");
            (is_over || trial.problem.is_none()).then_some(trial.fuel)
        };
        let compared = growth::probe(case, &mut fuel);
        let trial = trial::run(worker, case, &self.options, dictionary, None);
        InputResult { trial: trial.map_err(|skipped| (case.clone(), skipped)), compared }
    }
}
