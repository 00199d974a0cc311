//! Names that the file defines, and patterns over them.

use pointsman_domain::names::NamePattern;

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

/// Longest name that clients can request: clients with a fixed model name need a route of that name.
const LONGEST_REQUESTED: usize = 256;

/// Returns whether clients can request a name: any model name that they may send, except those with
/// quotes or backslashes, which names in messages stand in. `*` is allowed in patterns only.
pub(super) fn is_requestable(name: &str, allows_star: bool) -> bool {
    let is_allowed = |byte: u8| match byte {
        b'"' | b'\\' | b'\'' | b'`' => false,
        b'*' => allows_star,
        _ => byte.is_ascii_graphic(),
    };
    (1..=LONGEST_REQUESTED).contains(&name.len()) && name.bytes().all(is_allowed)
}

/// Checks the name of a route.
pub(super) fn check_route(name: &str, node: Node<'_>, problems: &mut Problems<'_>) {
    if is_requestable(name, false) {
        return;
    }
    let hint = match name.contains('*') {
        true => "a pattern is an alias of a route: aliases = [\"gpt-*\"]".to_owned(),
        false => requestable_rule("names of routes"),
    };
    problems.add(node.key(), format!("route {name:?} has a name that cannot be used")).hint(hint);
}

/// Returns the rule for names that clients can request, for hints.
pub(super) fn requestable_rule(what: &str) -> String {
    format!("{what} are 1 to {LONGEST_REQUESTED} printable characters of ASCII without space, quotes and \\")
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
        let parsed = NamePattern::new(pattern);
        let matched: Vec<&str> = known.iter().copied().filter(|name| parsed.matches(name)).collect();
        if matched.is_empty() {
            report_unknown(what, pattern, node.at(index), known, problems);
        }
        for name in matched {
            if !chosen.contains(&name) {
                chosen.push(name);
            }
        }
    }
    chosen
}

/// Adds the problem of a name or pattern that matches nothing.
pub(super) fn report_unknown(
    what: &str,
    pattern: &str,
    node: Node<'_>,
    known: &[&str],
    problems: &mut Problems<'_>,
) {
    let message = match pattern.contains('*') {
        true => format!("no {what} matches `{pattern}`"),
        false => format!("unknown {what} `{pattern}`"),
    };
    problems.add(node.place(), message).did_you_mean(pattern, known, "there are");
}
