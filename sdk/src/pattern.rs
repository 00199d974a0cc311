//! Patterns of model names, for settings.

use serde::Deserialize;

/// A model id in which `*` matches any characters.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// Creates a pattern from its text.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// Returns true if a candidate's id matches, either with its backend (`backend/model`) or
    /// without.
    pub fn fits(&self, id: &str) -> bool {
        let model = id.split_once('/').map_or(id, |(_, model)| model);
        fits(&self.0, id) || fits(&self.0, model)
    }

    /// Returns the text of the pattern.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|start| text.strip_prefix(start)) else { return false };
    let Some(end) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_any_characters_with_or_without_the_backend() {
        let fits = |pattern: &str| Pattern::new(pattern).fits("fleet/llama-70b");
        for pattern in ["fleet/llama-70b", "llama-70b", "llama-*", "*70b", "fleet/*", "*", "l*-*0b", "**"] {
            assert!(fits(pattern), "{pattern}");
        }
        for pattern in ["llama", "llama-7*0b0", "other/*", "*7b", "l*x*b", "lama-70b*", "llama-70b*b"] {
            assert!(!fits(pattern), "{pattern}");
        }
    }

    #[test]
    fn characters_matched_by_a_star_are_not_matched_twice() {
        let fits = |pattern: &str, id: &str| Pattern::new(pattern).fits(id);
        for (pattern, id) in
            [("*", ""), ("gpt*", "gpt-4o"), ("*mini", "gpt-4o-mini"), ("g*o*i", "gpt-4o-mini")]
        {
            assert!(fits(pattern, id), "{pattern} {id}");
        }
        for (pattern, id) in
            [("gpt*x", "gpt-4o"), ("*4o", "gpt-4o-mini"), ("ab*ba", "aba"), ("g*z*i", "gpt-4o-mini")]
        {
            assert!(!fits(pattern, id), "{pattern} {id}");
        }
    }
}
