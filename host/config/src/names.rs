//! Names that the file defines, and patterns over them.

use super::document::Node;
use super::problem::Problems;

/// Longest name, in bytes. Names are used in headers, log lines and metrics.
const LONGEST: usize = 64;

/// Rule for valid names, for hints.
pub(super) const RULE: &str = "names are 1 to 64 characters of a-z A-Z 0-9 _ . -";

/// Returns whether a name is valid.
pub(super) fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !name.is_empty() && name.len() <= LONGEST && name.bytes().all(is_plain)
}

/// Longest name of a route: clients with a fixed model name need a route of that name.
const LONGEST_ROUTE: usize = 128;

/// Checks the name of a route. Any model name that a client may send is valid, except those
/// with `*`, which is a wildcard in lists of names, quotes or backslashes.
pub(super) fn check_route(name: &str, node: Node<'_>, problems: &mut Problems<'_>) {
    let is_allowed =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'*' | b'"' | b'\\' | b'\'' | b'`');
    if (1..=LONGEST_ROUTE).contains(&name.len()) && name.bytes().all(is_allowed) {
        return;
    }
    problems.add(node.key(), format!("route {name:?} has a name that cannot be used")).hint(format!(
        "names of routes are 1 to {LONGEST_ROUTE} printable characters of ASCII without space, quotes, \\ and *"
    ));
}

/// Checks the name of a backend, policy or key.
pub(super) fn check(what: &str, name: &str, node: Node<'_>, problems: &mut Problems<'_>) {
    if is_plain(name) {
        return;
    }
    let message = format!("{what} {name:?} has a name that cannot be used");
    problems.add(node.key(), message).hint(RULE);
}

/// Expands a list of names and patterns to the known names that it matches, in the order of the
/// list and without duplicates. `what` is the noun for messages.
pub(super) fn expand<'n>(
    what: &str,
    patterns: &[String],
    node: Node<'_>,
    known: &[&'n str],
    problems: &mut Problems<'_>,
) -> Vec<&'n str> {
    let mut chosen = Vec::new();
    for (index, pattern) in patterns.iter().enumerate() {
        let matched: Vec<&str> = known.iter().copied().filter(|name| matches(pattern, name)).collect();
        if matched.is_empty() {
            let message = if pattern.contains('*') {
                format!("no {what} matches `{pattern}`")
            } else {
                format!("unknown {what} `{pattern}`")
            };
            problems.add(node.at(index).place(), message).did_you_mean(pattern, known, "there are");
        }
        for name in matched {
            if !chosen.contains(&name) {
                chosen.push(name);
            }
        }
    }
    chosen
}

/// Returns whether a name matches a pattern in which `*` matches any characters, or none.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, mut rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    while let Some((middle, next)) = rest.split_once('*') {
        let Some(found) = name.find(middle) else { return false };
        name = &name[found + middle.len()..];
        rest = next;
    }
    name.ends_with(rest)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name) in [
            ("a/b", "a/b"),
            ("*", "a/b"),
            ("a/*", "a/b"),
            ("a/*", "a/b/c"),
            ("*b", "a/b"),
            ("a*b*c", "a1b2c"),
            ("a*a", "aa"),
            ("**", ""),
        ] {
            assert!(matches(pattern, name), "{pattern} should match {name}");
        }
        for (pattern, name) in [("a", "a/b"), ("a/*", "b/a"), ("a*a", "a"), ("*b", "a/bc"), ("a*b*c", "acb")]
        {
            assert!(!matches(pattern, name), "{pattern} should not match {name}");
        }
    }
}
