use std::collections::HashMap;
use std::fmt;

use super::NamePattern;

/// Values of patterns, of which the most specific one that matches a name is found without trying
/// them all: for each length of a literal prefix there is one hash look-up.
#[derive(Clone)]
pub struct PatternIndex<T> {
    /// By the length of the prefix, the longest first.
    by_length: Vec<PrefixGroup<T>>,
}

/// Patterns with literal prefixes of one length, by prefix.
#[derive(Clone)]
struct PrefixGroup<T> {
    length: usize,
    /// Each list begins with the most specific pattern.
    patterns: HashMap<Box<str>, Vec<(NamePattern, T)>>,
}

impl<T> PatternIndex<T> {
    /// Creates an index. Of patterns that are equally specific, the first one counts.
    pub fn new(patterns: impl IntoIterator<Item = (NamePattern, T)>) -> Self {
        let mut patterns: Vec<_> = patterns.into_iter().collect();
        // The sort is stable, so patterns of one rank stay in their order.
        patterns.sort_by_key(|(pattern, _)| pattern.rank());
        let mut by_length: Vec<PrefixGroup<T>> = Vec::new();
        for (pattern, value) in patterns {
            let prefix = pattern.literal_prefix();
            if by_length.last().is_none_or(|group| group.length != prefix.len()) {
                by_length.push(PrefixGroup { length: prefix.len(), patterns: HashMap::new() });
            }
            if let Some(group) = by_length.last_mut() {
                group.patterns.entry(prefix.into()).or_default().push((pattern, value));
            }
        }
        Self { by_length }
    }

    /// Returns the value of the most specific pattern that matches a name: the one with the longest
    /// text before its first `*`, then the longest one, then the first one.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.by_length.iter().find_map(|group| {
            let candidates = group.patterns.get(name.get(..group.length)?)?;
            candidates.iter().find(|(pattern, _)| pattern.matches(name)).map(|(_, value)| value)
        })
    }
}

impl<T> Default for PatternIndex<T> {
    fn default() -> Self {
        Self { by_length: Vec::new() }
    }
}

impl<T> fmt::Debug for PatternIndex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patterns = self.by_length.iter().flat_map(|group| group.patterns.values().flatten());
        f.debug_set().entries(patterns.map(|(pattern, _)| pattern)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(patterns: &[&'static str]) -> PatternIndex<&'static str> {
        PatternIndex::new(patterns.iter().map(|pattern| (NamePattern::new(pattern), *pattern)))
    }

    #[test]
    fn the_longest_literal_prefix_wins_then_the_longest_pattern_then_the_first() {
        let index = index(&["*", "gpt-*", "gpt-4*", "*-mini", "gpt-4*o", "gpt-4*x", "x*1*", "x*2*"]);
        for (name, expected) in [
            ("gpt-4o", "gpt-4*o"),
            ("gpt-4x", "gpt-4*x"),
            ("gpt-4.1", "gpt-4*"),
            ("gpt-3.5", "gpt-*"),
            ("gpt-5-mini", "gpt-*"),
            ("o4-mini", "*-mini"),
            ("o3", "*"),
            ("", "*"),
            ("x21", "x*1*"),
            ("x2", "x*2*"),
            ("gé", "*"),
        ] {
            assert_eq!(index.get(name), Some(&expected), "{name}");
        }
    }

    #[test]
    fn no_pattern_is_found_where_none_matches() {
        let index = index(&["gpt-*", "é*"]);
        for name in ["claude", "gp", "", "a\u{e9}"] {
            assert_eq!(index.get(name), None, "{name}");
        }
        assert_eq!(index.get("été"), Some(&"é*"));
        assert_eq!(PatternIndex::<()>::default().get("gpt-4o"), None);
    }

    #[test]
    fn the_index_finds_what_a_search_of_all_patterns_finds() {
        let mut patterns: Vec<String> = Vec::new();
        for length in 0..4_usize {
            for digits in 0..2_usize.pow(length as u32) {
                let text: String =
                    (0..length).map(|bit| if digits >> bit & 1 == 0 { 'a' } else { 'b' }).collect();
                patterns.extend([format!("{text}*"), format!("*{text}"), format!("{text}*{text}")]);
            }
        }
        let patterns: Vec<NamePattern> = patterns.iter().map(|pattern| NamePattern::new(pattern)).collect();
        let index = PatternIndex::new(patterns.iter().cloned().zip(0_usize..));
        for name in ["", "a", "b", "ab", "ba", "aab", "abab", "bbaa", "ababab"] {
            let best = (0..patterns.len())
                .filter(|at| patterns[*at].matches(name))
                .min_by_key(|at| (patterns[*at].rank(), *at));
            assert_eq!(index.get(name).copied(), best, "{name}");
        }
    }
}
