//! Reads the prompt, so it has to be granted. Its reason shows what it could see.

use pointsman_sdk::prelude::*;
use pointsman_sdk::prompt;

/// Bytes that it asks for at once.
const ALL: usize = usize::MAX;

/// The policy.
pub struct Reader;

impl Policy for Reader {
    type Settings = NoSettings;

    fn new(_: NoSettings) -> Result<Self, String> {
        Ok(Self)
    }

    /// `messages first-role length-of-last-user-text start-of-it tools`
    fn route(&mut self, _: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let role = prompt::role(0).unwrap_or_default();
        let text = prompt::last_user_text(ALL);
        let start: String = text.chars().take(16).collect();
        let tools = prompt::tool_names().join(",");
        let seen = format!("{} {role} {} {start:?} [{tools}]", prompt::message_count(), text.len());
        Ok(Decision::of(0..candidates.len(), "reader").because(seen))
    }
}

pointsman_sdk::export!(Reader);
