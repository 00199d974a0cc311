//! Detection of JSON answers, and of requests for JSON.

use pointsman_sdk::outputs::unfenced;
use serde::de::IgnoredAny;

/// Phrases of requests for JSON, in lower case.
const ASKS: [&str; 12] = [
    "json only",
    "only json",
    "valid json",
    "json object",
    "json array",
    "json format",
    "as json",
    "in json",
    "return json",
    "respond with json",
    "output json",
    "a json",
];

/// True for a text that asks for JSON.
pub(crate) fn is_asked_for(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ASKS.iter().any(|words| text.contains(words))
}

/// True for an answer that is one JSON value, with or without a fence.
pub(crate) fn is_json(answer: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(unfenced(answer)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_accepted_with_and_without_a_fence() {
        for answer in ["{}", " [1, 2] \n", "\"ä\"", "```json\n{\"a\": 1}\n```", "```\n[]\n```\n"] {
            assert!(is_json(answer), "{answer}");
        }
    }

    #[test]
    fn what_is_broken_or_has_words_around_it_is_not() {
        let deep = "[".repeat(10_000);
        for answer in
            ["", "{", "{'a': 1}", "Here it is: {}", "{} {}", "```json\n{\n```", "```{}```", "``````", &deep]
        {
            assert!(!is_json(answer), "{answer}");
        }
    }

    #[test]
    fn a_request_asks_for_json_in_some_words_only() {
        assert!(is_asked_for("List the capitals. Answer in JSON."));
        assert!(!is_asked_for("Who invented JSON?"));
    }
}
