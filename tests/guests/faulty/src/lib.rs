//! A policy with the fault that its settings name. Most requests do not show it, as with the faults of
//! real policies.

use std::hint::black_box;

use pointsman_sdk::prelude::*;
use pointsman_sdk::{Learner, Observer, Outcome, OutcomeStatus, Rating, Target, prompt};
use serde::Deserialize;

mod fault;

pub use fault::Fault;

/// The id of the load gate's request.
const TRIAL: &str = "trial";
/// Number of messages at which [`Fault::SevenMessages`] loops.
const MESSAGES: usize = 7;
/// Length of the attribute `note` from which [`Fault::LongAttribute`] needs too much memory.
const LONG: usize = 4_096;

/// The fault.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    fault: Option<Fault>,
}

/// The policy.
pub struct Faulty {
    fault: Option<Fault>,
    decisions: usize,
}

impl Policy for Faulty {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        Ok(Self { fault: settings.fault, decisions: 0 })
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let mut decision = Decision::of(0..candidates.len(), "good");
        if request.id == TRIAL {
            return Ok(decision);
        }
        match self.fault {
            None | Some(Fault::Outcome | Fault::Rating) => {}
            Some(Fault::EmptyPrompt) => _ = black_box(first_word()),
            Some(Fault::OneCandidate) => _ = black_box(candidates[1].id.len()),
            Some(Fault::FreeModel) => {
                let tokens: u64 = candidates.iter().map(tokens_for_a_dollar).max().unwrap_or_default();
                decision.reason = Some(format!("{tokens} tokens for a dollar"));
            }
            Some(Fault::CharBoundary) => _ = black_box(excerpt()),
            Some(Fault::SevenMessages) if prompt::message_count() == MESSAGES => endless(),
            Some(Fault::SevenMessages) => {}
            Some(Fault::QuadraticText) => _ = black_box(repeated_bytes()),
            Some(Fault::QuadraticCandidates) => decision.targets = ranked(candidates),
            Some(Fault::AllUnhealthy) if candidates.iter().all(|it| !it.healthy) => {
                decision.targets.push(Target::from(0));
            }
            Some(Fault::AllUnhealthy) => {}
            Some(Fault::LongAttribute) => remember_note(),
            Some(Fault::Counter) => {
                decision.targets.rotate_left(self.decisions % candidates.len());
                self.decisions += 1;
            }
        }
        Ok(decision)
    }
}

impl Observer for Faulty {
    fn observe(&mut self, outcome: &Outcome) {
        if self.fault == Some(Fault::Outcome) && outcome.status == OutcomeStatus::Answered {
            #[expect(clippy::unwrap_used, reason = "the fault")]
            black_box(outcome.first_token_ms.unwrap());
        }
    }
}

impl Learner for Faulty {
    fn rate(&mut self, rating: &Rating) {
        if self.fault == Some(Fault::Rating) {
            black_box(100 / (rating.score * 100.0) as u32);
        }
    }
}

#[expect(clippy::unwrap_used, reason = "the fault")]
fn first_word() -> String {
    prompt::last_user_text(1_000).split_whitespace().next().unwrap().to_owned()
}

fn tokens_for_a_dollar(candidate: &Candidate) -> u64 {
    1_000_000 / (candidate.input_price * 1e6) as u64
}

fn excerpt() -> String {
    let text = prompt::last_user_text(1_000);
    if text.len() > 20 { text[..20].to_owned() } else { text }
}

#[expect(clippy::empty_loop, reason = "the fault")]
fn endless() -> ! {
    loop {}
}

fn repeated_bytes() -> usize {
    let text = prompt::last_user_text(usize::MAX);
    let bytes = text.as_bytes();
    bytes.iter().map(|byte| bytes.iter().filter(|other| *other == byte).count()).sum()
}

fn ranked(candidates: &[Candidate]) -> Vec<Target> {
    let rank = |it: &Candidate| {
        candidates.iter().filter(|other| (other.input_price, &other.id) < (it.input_price, &it.id)).count()
    };
    let mut ranks: Vec<(usize, usize)> =
        candidates.iter().enumerate().map(|(index, candidate)| (rank(candidate), index)).collect();
    ranks.sort_unstable();
    ranks.into_iter().map(|(_, index)| Target::from(index)).collect()
}

fn remember_note() {
    let note = details::request_attribute("note").unwrap_or_default();
    if note.len() > LONG {
        black_box(vec![1_u8; note.len() * LONG]);
    }
}

pointsman_sdk::export!(Faulty, learner);
