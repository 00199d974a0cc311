//! A policy that reads the prompt, and reports the content in its reason. Needs the grant
//! `prompt`.
//!
//! Settings: `reads`, the limits in bytes of successive reads of the newest user message, whose
//! results become the reason; and `needles`, texts to search for in its whole memory after the
//! reads, which the label reports.

use pointsman_sdk::prelude::*;
use pointsman_sdk::prompt;
use serde::Deserialize;

#[path = "../../scanner/src/scan.rs"]
mod scan;

use scan::Needles;

/// The limit of a read in bytes.
const ALL: usize = usize::MAX;

/// Further actions.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    reads: Vec<usize>,
    needles: Vec<String>,
}

/// The policy.
pub struct Reader {
    reads: Vec<usize>,
    needles: Option<Needles>,
}

impl Policy for Reader {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        let needles = (!settings.needles.is_empty()).then(|| Needles::parse(&settings.needles));
        Ok(Self { reads: settings.reads, needles: needles.transpose()? })
    }

    /// `messages first-role length-of-last-user-text start-of-it tools`
    fn route(&mut self, _: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        if !self.reads.is_empty() {
            let given = self.reads.iter().map(|&bytes| prompt::last_user_text(bytes).len().to_string());
            let given: Vec<String> = given.collect();
            return Ok(Decision::of(0..candidates.len(), "reader").because(given.join(" ")));
        }
        let role = prompt::role(0).unwrap_or_default();
        let text = prompt::last_user_text(ALL);
        let start: String = text.chars().take(16).collect();
        let tools = prompt::tool_names().join(",");
        let seen = format!("{} {role} {} {start:?} [{tools}]", prompt::message_count(), text.len());
        let label = self.needles.as_ref().map_or_else(|| "reader".to_owned(), Needles::label);
        // The text is dropped no sooner than it was looked for.
        drop(text);
        Ok(Decision::of(0..candidates.len(), label).because(seen))
    }
}

pointsman_sdk::export!(Reader);
