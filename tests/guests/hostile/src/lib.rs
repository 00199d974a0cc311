//! A policy that misbehaves in the way that its settings name.
//!
//! Settings: `misdeed`, a [`Misdeed`] in kebab case, and `at_trial`, true to misbehave on the
//! load gate's request too. Without it the policy loads, and misbehaves on every real request.

use std::hint::black_box;

use pointsman_sdk::prelude::*;
use pointsman_sdk::{Target, log};
use serde::Deserialize;

mod misdeed;

pub use misdeed::{Misdeed, TURNED};

/// The id of the load gate's request.
const TRIAL: &str = "trial";

/// The misdeed, and the requests on which it happens.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    misdeed: Option<Misdeed>,
    at_trial: bool,
}

/// The policy.
pub struct Hostile(Settings);

impl Policy for Hostile {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        match settings.misdeed {
            Some(Misdeed::LoopInValidate) => endless(),
            Some(Misdeed::RefuseSettings) => Err("setting `misdeed`: refused\nas \u{1b}[31masked".to_owned()),
            _ => Ok(Self(settings)),
        }
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        match self.0.misdeed {
            Some(misdeed) if self.0.at_trial || request.id != TRIAL => misbehave(misdeed, candidates.len()),
            _ => Ok(good(candidates.len())),
        }
    }
}

fn good(candidates: usize) -> Decision {
    Decision::of(0..candidates, "good")
}

fn misbehave(misdeed: Misdeed, candidates: usize) -> Result<Decision, Refusal> {
    let mut decision = good(candidates);
    match misdeed {
        Misdeed::LoopAtStart | Misdeed::LoopInValidate | Misdeed::RefuseSettings => {}
        Misdeed::LoopInRoute => endless(),
        Misdeed::Recurse => drop(recurse(0)),
        Misdeed::GrowMemory => grow_memory(),
        Misdeed::GrowMemoryGracefully => decision.label = reserve_gracefully().to_owned(),
        Misdeed::Trap => std::process::abort(),
        #[expect(clippy::panic, reason = "the misdeed")]
        Misdeed::Panic => panic!("as asked"),
        Misdeed::HugeLabel => decision.label = "x".repeat(8 << 20),
        Misdeed::HugeReason => decision.reason = Some("x".repeat(8 << 20)),
        Misdeed::LongReason => decision.reason = Some("x".repeat(513)),
        Misdeed::ManyTargets => decision.targets = (0..200_000).map(Target::from).collect(),
        Misdeed::MoreTargetsThanCandidates => decision.targets = (0..10_000).map(Target::from).collect(),
        Misdeed::NoTarget => decision.targets.clear(),
        Misdeed::OutOfRange => decision.targets.push(Target::from(candidates)),
        Misdeed::Repeat => decision.targets = vec![Target::from(0), Target::from(0)],
        Misdeed::ZeroTimeout => decision.targets[0].timeout_ms = Some(0),
        Misdeed::NanPropensity => decision.propensity = Some(f64::NAN),
        Misdeed::InfinitePropensity => decision.propensity = Some(f64::INFINITY),
        Misdeed::MinusInfinitePropensity => decision.propensity = Some(f64::NEG_INFINITY),
        Misdeed::LongestTimes => {
            decision.hedge_after_ms = Some(u32::MAX);
            decision.targets.iter_mut().for_each(|target| target.timeout_ms = Some(u32::MAX));
        }
        Misdeed::EmptyLabel => decision.label.clear(),
        Misdeed::HeaderInLabel => decision.label = "x\r\nx-injected: yes".to_owned(),
        Misdeed::AnsiInReason => decision.reason = Some("\u{1b}[2J\u{7}all is well".to_owned()),
        Misdeed::C1InReason => decision.reason = Some("\u{9b}2Jall is well".to_owned()),
        Misdeed::AnsiInRefusal => return Err(Refusal::Denied("\u{1b}[2Jno".to_owned())),
        Misdeed::AnsiInLog => log::warn("\u{1b}[2J\nERROR forged line"),
        Misdeed::TurnedReason => decision.reason = Some(TURNED.to_owned()),
        Misdeed::TurnedRefusal => return Err(Refusal::Denied(TURNED.to_owned())),
        Misdeed::TurnedInternal => return Err(Refusal::Internal(TURNED.to_owned())),
        Misdeed::TurnedLog => log::warn("\u{202e}turned\u{2028}ERROR ended"),
        Misdeed::LongLog => log::warn(&"x".repeat(100_000)),
        Misdeed::HugeLog => log::warn(&"x".repeat(8 << 20)),
        Misdeed::FloodLog => (0..500).for_each(|line| log::warn(&line.to_string())),
        Misdeed::FloodHost => (0..10_000).for_each(|_| drop(pointsman_sdk::settings::json())),
        Misdeed::Internal => return Err(Refusal::Internal("out of \u{1b}[1mideas".to_owned())),
        Misdeed::Deny => return Err(Refusal::Denied("not for you".to_owned())),
        Misdeed::RefuseAll => return Err(Refusal::NoCandidate("none will do".to_owned())),
    }
    Ok(decision)
}

#[expect(clippy::empty_loop, reason = "the misdeed")]
fn endless() -> ! {
    loop {}
}

#[expect(unconditional_recursion, reason = "the misdeed")]
fn recurse(depth: u64) -> u64 {
    black_box(recurse(black_box(depth + 1)) + 1)
}

fn grow_memory() {
    loop {
        std::mem::forget(black_box(vec![1_u8; 1 << 20]));
    }
}

/// Requests more memory than there is, and handles the failure.
fn reserve_gracefully() -> &'static str {
    match Vec::<u8>::new().try_reserve_exact(1 << 30) {
        Ok(()) => "more-than-allowed",
        Err(_) => "made-do-with-less",
    }
}

/// Runs when the component is instantiated, before any call.
#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "the linker finds it by this name")]
#[unsafe(export_name = "_initialize")]
extern "C" fn start() {
    let settings = pointsman_sdk::settings::load::<Settings>();
    if settings.is_ok_and(|settings| settings.misdeed == Some(Misdeed::LoopAtStart)) {
        endless();
    }
}

pointsman_sdk::export!(Hostile);
