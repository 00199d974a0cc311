//! The kind of a request, from what a policy can read of it.

use pointsman_sdk::{Abilities, Modalities, Request, prompt};
use pointsman_text_features::{Facts, Kind};

/// Reads the newest user message, at most this many bytes of it, and the names
/// of the tools, and returns the kind of the request.
pub fn read(request: &Request, max_bytes: usize) -> Kind {
    let tools = if request.needs.contains(Abilities::TOOLS) { prompt::tool_names() } else { Vec::new() };
    classify(request, &prompt::last_user_text(max_bytes), &tools)
}

/// Returns the kind of a request with this newest user message and these tools.
pub fn classify(request: &Request, text: &str, tools: &[String]) -> Kind {
    pointsman_text_features::classify(&facts(request, text, tools))
}

/// Returns what the features of a request are computed from.
pub fn facts<'a>(request: &Request, text: &'a str, tools: &'a [String]) -> Facts<'a> {
    Facts {
        text,
        tools,
        turns: request.turns,
        pictures: request.inputs.intersects(Modalities::IMAGE | Modalities::VIDEO),
        sound: request.inputs.contains(Modalities::AUDIO),
        needs_tools: request.needs.contains(Abilities::TOOLS),
        needs_reasoning: request.needs.contains(Abilities::REASONING),
    }
}

#[cfg(test)]
mod tests;
