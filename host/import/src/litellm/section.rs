//! Mappings of which every key is read or reported.

use crate::report::{Place, Report};
use crate::yaml::{Entry, Node};

/// Prefix of values that stand for environment variables.
const ENVIRONMENT: &str = "os.environ/";

/// Advice on keys without a counterpart. A name that ends in `*` is a prefix.
pub(super) type Hints = [(&'static str, &'static str)];

/// A mapping, and the keys that have not been read yet.
pub(super) struct Section<'n> {
    place: Place,
    entries: Vec<&'n Entry>,
}

/// A value of the file, or the environment variable that holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Setting {
    Literal(String),
    Variable(String),
}

impl Setting {
    /// Reads a scalar.
    pub(super) fn of(node: &Node) -> Option<Self> {
        let text = node.text()?;
        Some(match text.strip_prefix(ENVIRONMENT) {
            Some(name) => Self::Variable(name.trim().to_owned()),
            None => Self::Literal(text.to_owned()),
        })
    }
}

impl<'n> Section<'n> {
    /// Wraps a node. Reports it if it has a value that is not a mapping.
    pub(super) fn new(node: &'n Node, place: Place, report: &mut Report) -> Self {
        let entries = node.entries();
        if entries.is_none() && (node.text().is_some() || node.elements().is_some()) {
            report.no_counterpart(&place, "it is not a mapping", "write `key: value` lines");
        }
        Self { place, entries: entries.unwrap_or_default().iter().collect() }
    }

    /// Reads a key, with its place.
    pub(super) fn take(&mut self, key: &str) -> Option<(&'n Node, Place)> {
        let index = self.entries.iter().position(|entry| entry.key == key)?;
        let entry = self.entries.remove(index);
        Some((&entry.node, self.place.member(&entry.key, entry.line)))
    }

    /// Reads a mapping; an empty one if the key is absent.
    pub(super) fn section(&mut self, key: &str, report: &mut Report) -> Self {
        match self.take(key) {
            Some((node, place)) => Self::new(node, place, report),
            None => Self { place: self.place.member(key, self.place.line), entries: Vec::new() },
        }
    }

    /// Reads a scalar.
    pub(super) fn setting(&mut self, key: &str, report: &mut Report) -> Option<(Setting, Place)> {
        let (node, place) = self.take(key)?;
        let setting = Setting::of(node);
        if setting.is_none() && (node.elements().is_some() || node.entries().is_some()) {
            report.no_counterpart(&place, "it is not a single value", "write one value");
        }
        Some((setting?, place))
    }

    /// Reads a text that the file states.
    pub(super) fn text(&mut self, key: &str, report: &mut Report) -> Option<(String, Place)> {
        match self.setting(key, report)? {
            (Setting::Literal(text), place) => Some((text, place)),
            (Setting::Variable(name), place) => {
                report.no_counterpart(
                    &place,
                    format!("the value is in the environment variable `{name}`"),
                    "only secrets are read from the environment: write the value into the configuration",
                );
                None
            }
        }
    }

    /// Reads a number of at least 0.
    pub(super) fn number(&mut self, key: &str, report: &mut Report) -> Option<(f64, Place)> {
        let (text, place) = self.text(key, report)?;
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
        if number.is_none() {
            report.no_counterpart(&place, "it is not a number of at least 0", "write a number");
        }
        Some((number?, place))
    }

    /// Reads a truth value.
    pub(super) fn truth(&mut self, key: &str, report: &mut Report) -> Option<(bool, Place)> {
        let (node, place) = self.take(key)?;
        let truth = node.truth();
        if truth.is_none() && node.text().is_some() {
            report.no_counterpart(&place, "it is neither true nor false", "write `true` or `false`");
        }
        Some((truth?, place))
    }

    /// Returns the keys that have not been read, with their places.
    pub(super) fn rest(&mut self) -> Vec<(&'n str, &'n Node, Place)> {
        let entries = std::mem::take(&mut self.entries).into_iter();
        entries
            .map(|entry| (entry.key.as_str(), &entry.node, self.place.member(&entry.key, entry.line)))
            .collect()
    }

    /// Reports the keys that have not been read. Values are not shown: they may be secret.
    pub(super) fn finish(mut self, hints: &Hints, report: &mut Report) {
        for (key, _, place) in self.rest() {
            report_unread(key, &place, hints, report);
        }
    }
}

/// Reports a key that has no counterpart.
pub(super) fn report_unread(key: &str, place: &Place, hints: &Hints, report: &mut Report) {
    let hint = hints.iter().find(|(name, _)| match name.strip_suffix('*') {
        Some(prefix) => key.starts_with(prefix),
        None => key == *name,
    });
    match hint {
        Some((_, advice)) => report.no_counterpart(place, "it is left out", *advice),
        None => report.no_counterpart(
            place,
            "the import does not know this key",
            "see docs/configuration.md for a key with the same effect",
        ),
    }
}

/// Returns whether the value of a key may be a secret.
pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["key", "token", "secret", "password", "credential", "auth", "cookie"]
        .iter()
        .any(|word| key.contains(word))
}
