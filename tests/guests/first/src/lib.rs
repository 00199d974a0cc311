//! A policy that keeps the order of the candidates, and labels its decisions with its version.
//! Later versions can be worse: see [`Settings`].
//!
//! The version is in the compiled bytes, where a test can change it. So one build yields any
//! number of versions, each with its own digest.

use pointsman_sdk::prelude::*;
use serde::Deserialize;

/// The version in the compiled bytes.
pub const VERSION: &str = "version-00000000";

/// Read as volatile; otherwise the compiler would inline it into the code.
static EMBEDDED: [u8; VERSION.len()] = *b"version-00000000";

/// Further members of decisions.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// A label in place of the version.
    label: Option<String>,
    /// The hedging delay in milliseconds.
    hedge_after_ms: Option<u32>,
    /// The timeout of each target in milliseconds.
    timeout_ms: Option<u32>,
    /// The first version that fails on requests other than the load gate's.
    fails_from: Option<u32>,
    /// The first version that selects only the last candidate.
    last_from: Option<u32>,
}

/// The policy.
pub struct First {
    label: String,
    hedge_after_ms: Option<u32>,
    timeout_ms: Option<u32>,
    fails: bool,
    takes_last: bool,
}

/// The id of the load gate's request.
const TRIAL: &str = "trial";

impl Policy for First {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        let embedded = String::from_utf8_lossy(std::hint::black_box(&EMBEDDED)).into_owned();
        let number: u32 = embedded.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0);
        let from = |first: Option<u32>| first.is_some_and(|first| number >= first);
        Ok(Self {
            label: settings.label.unwrap_or(embedded),
            hedge_after_ms: settings.hedge_after_ms,
            timeout_ms: settings.timeout_ms,
            fails: from(settings.fails_from),
            takes_last: from(settings.last_from),
        })
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        if self.fails && request.id != TRIAL {
            return Err(Refusal::Internal("as asked".to_owned()));
        }
        let all = if self.takes_last { candidates.len() - 1..candidates.len() } else { 0..candidates.len() };
        let mut decision = Decision::of(all, self.label.clone());
        decision.targets.iter_mut().for_each(|target| target.timeout_ms = self.timeout_ms);
        Ok(Decision { hedge_after_ms: self.hedge_after_ms, ..decision })
    }
}

pointsman_sdk::export!(First);
