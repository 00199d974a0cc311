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

/// A label instead of the version.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    label: Option<String>,
}

/// The policy.
pub struct First(String);

impl Policy for First {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        let embedded = std::hint::black_box(&EMBEDDED);
        Ok(Self(settings.label.unwrap_or_else(|| String::from_utf8_lossy(embedded).into_owned())))
    }

    fn route(&mut self, _: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        Ok(Decision::of(0..candidates.len(), self.0.clone()))
    }
}

pointsman_sdk::export!(First);
