//! Prefers the first candidate, keeps the rest in order, and labels its
//! decisions with its version.
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
}

/// The policy.
pub struct First {
    label: String,
    hedge_after_ms: Option<u32>,
}

impl Policy for First {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        let embedded = std::hint::black_box(&EMBEDDED);
        let version = || String::from_utf8_lossy(embedded).into_owned();
        let label = settings.label.unwrap_or_else(version);
        Ok(Self { label, hedge_after_ms: settings.hedge_after_ms })
    }

    fn route(&mut self, _: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let decision = Decision::of(0..candidates.len(), self.label.clone());
        Ok(Decision { hedge_after_ms: self.hedge_after_ms, ..decision })
    }
}

pointsman_sdk::export!(First);
