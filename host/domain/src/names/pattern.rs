use std::cmp::Reverse;
use std::fmt;

/// Name, or pattern in which `*` matches any text, or none. No other character is special.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NamePattern(Box<str>);

impl NamePattern {
    /// Wraps a pattern. Several `*` in a row mean the same as one and are stored as one.
    pub fn new(pattern: &str) -> Self {
        let mut text = String::with_capacity(pattern.len());
        for character in pattern.chars() {
            if character != '*' || !text.ends_with('*') {
                text.push(character);
            }
        }
        Self(text.into())
    }

    /// Returns the text of the pattern.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the pattern is a name: it matches nothing else.
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// Returns the text before the first `*`, with which every matching name begins.
    pub fn literal_prefix(&self) -> &str {
        self.0.split('*').next().unwrap_or_default()
    }

    /// Returns whether the pattern matches a name. Takes time in proportion to both lengths.
    pub fn matches(&self, name: &str) -> bool {
        let Some((start, mut rest)) = self.0.split_once('*') else { return *self.0 == *name };
        let Some(mut name) = name.strip_prefix(start) else { return false };
        // The first place of each part leaves the most text to the parts after it, so no other place
        // has to be tried.
        while let Some((middle, next)) = rest.split_once('*') {
            let Some(found) = name.find(middle) else { return false };
            name = &name[found + middle.len()..];
            rest = next;
        }
        name.ends_with(rest)
    }

    /// Returns whether there is a name that both patterns match.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self.is_exact(), other.is_exact()) {
            (true, _) => other.matches(&self.0),
            (_, true) => self.matches(&other.0),
            // The longer beginning, the inner parts of both and the longer end make a name of both.
            (false, false) => {
                let (one, two) = (self.literal_prefix(), other.literal_prefix());
                let (end, end_of_other) = (self.literal_suffix(), other.literal_suffix());
                (one.starts_with(two) || two.starts_with(one))
                    && (end.ends_with(end_of_other) || end_of_other.ends_with(end))
            }
        }
    }

    /// Returns the key by which patterns are sorted: the one with the longest literal prefix is the
    /// most specific, then the longest one.
    pub(super) fn rank(&self) -> (Reverse<usize>, Reverse<usize>) {
        (Reverse(self.literal_prefix().len()), Reverse(self.0.len()))
    }

    fn literal_suffix(&self) -> &str {
        self.0.rsplit('*').next().unwrap_or_default()
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::NamePattern;

    #[test]
    fn a_star_matches_any_text_and_nothing_else_is_special() {
        for (pattern, name) in [
            ("a/b", "a/b"),
            ("*", "a/b"),
            ("*", ""),
            ("a/*", "a/b"),
            ("a/*", "a/b/c"),
            ("*b", "a/b"),
            ("a*b*c", "a1b2c"),
            ("a*a", "aa"),
            ("**", ""),
            ("gpt-*", "gpt-4o"),
            ("*[1m]", "claude-opus-4-8[1m]"),
            ("a?.+*", "a?.+x"),
            ("*é*", "café au lait"),
        ] {
            assert!(NamePattern::new(pattern).matches(name), "{pattern} should match {name}");
        }
        for (pattern, name) in [
            ("a", "a/b"),
            ("a/*", "b/a"),
            ("a*a", "a"),
            ("*b", "a/bc"),
            ("a*b*c", "acb"),
            ("gpt-*", "GPT-4o"),
            ("a?", "ab"),
            ("[ab]*", "ab"),
        ] {
            assert!(!NamePattern::new(pattern).matches(name), "{pattern} should not match {name}");
        }
    }

    #[test]
    fn stars_in_a_row_are_one() {
        assert_eq!(NamePattern::new("gpt-***o**"), NamePattern::new("gpt-*o*"));
        assert!(NamePattern::new("gpt").is_exact() && !NamePattern::new("**").is_exact());
    }

    #[test]
    fn patterns_overlap_where_a_name_matches_both() {
        let overlaps = |one: &str, two: &str| {
            let (one, two) = (NamePattern::new(one), NamePattern::new(two));
            assert_eq!(one.overlaps(&two), two.overlaps(&one));
            one.overlaps(&two)
        };
        assert!(overlaps("gpt-*", "gpt-4o"));
        assert!(overlaps("gpt-*", "gpt-4*"));
        assert!(overlaps("gpt-*", "*-mini"));
        assert!(overlaps("*", "a*b*c"));
        assert!(overlaps("a", "a"));
        assert!(!overlaps("a", "b"));
        assert!(!overlaps("gpt-*", "claude-*"));
        assert!(!overlaps("*-mini", "*-nano"));
        assert!(!overlaps("gpt-*", "o3"));
    }
}
