//! Prefers the first candidate, keeps the rest in order, and labels its
//! decisions with its version. Later versions may be worse: see [`Settings`].
//!
//! The version is in the compiled bytes, where a test can change it: any number
//! of versions come from one build, each with its own digest.

use pointsman_sdk::prelude::*;
use serde::Deserialize;

/// What stands in the bytes for the version.
pub const VERSION: &str = "version-00000000";

/// Read as volatile, or the compiler would spread it over the code.
static EMBEDDED: [u8; VERSION.len()] = *b"version-00000000";

/// What a decision says besides the order.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// A label instead of the version.
    label: Option<String>,
    /// After how many milliseconds the next model is asked too.
    hedge_after_ms: Option<u32>,
    /// Time of each target for its first byte, in milliseconds.
    timeout_ms: Option<u32>,
    /// The first version that fails, but not on the load gate's request.
    fails_from: Option<u32>,
    /// The first version that names the last candidate and no other.
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
