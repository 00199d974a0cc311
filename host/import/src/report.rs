//! The report of an import.

use std::fmt;

use serde::Serialize;

/// A part of the original configuration that the result does not have, or not in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Path of the part, such as `model_list[0].litellm_params.rpm`.
    pub path: String,
    /// Its line, counted from 1.
    pub line: usize,
    /// Kind of the difference.
    pub kind: FindingKind,
    /// Description of the difference. It contains no value of the file that may be secret.
    pub message: String,
    /// Remedy.
    pub advice: String,
}

/// Kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// The part has no counterpart and is left out.
    NoCounterpart,
    /// The counterpart works in another way.
    Different,
    /// Something is to be done by hand.
    ToDo,
}

impl FindingKind {
    const fn title(self) -> &'static str {
        match self {
            Self::NoCounterpart => "no counterpart",
            Self::Different => "different",
            Self::ToDo => "to do",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, kind, message, advice } = self;
        write!(f, "line {line}: {path}: {}: {message}\n  = hint: {advice}", kind.title())
    }
}

/// Findings while an import runs.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Finding>);

/// A place in the original configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: String,
    pub(crate) line: usize,
}

impl Place {
    /// Returns the place of a member.
    pub(crate) fn member(&self, key: &str, line: usize) -> Self {
        let key = if is_plain(key) { key.to_owned() } else { format!("{key:?}") };
        let path = if self.path.is_empty() { key } else { format!("{}.{key}", self.path) };
        Self { path, line }
    }

    /// Returns the place of an element.
    pub(crate) fn element(&self, index: usize, line: usize) -> Self {
        Self { path: format!("{}[{index}]", self.path), line }
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}

impl Report {
    pub(crate) fn no_counterpart(
        &mut self,
        place: &Place,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(place, FindingKind::NoCounterpart, message, advice);
    }

    pub(crate) fn different(&mut self, place: &Place, message: impl Into<String>, advice: impl Into<String>) {
        self.add(place, FindingKind::Different, message, advice);
    }

    pub(crate) fn task(&mut self, place: &Place, message: impl Into<String>, advice: impl Into<String>) {
        self.add(place, FindingKind::ToDo, message, advice);
    }

    /// Returns the findings in the order of the lines, each once.
    pub(crate) fn into_findings(self) -> Vec<Finding> {
        let mut findings = self.0;
        findings.sort_by_key(|finding| finding.line);
        findings.dedup();
        findings
    }

    fn add(
        &mut self,
        place: &Place,
        kind: FindingKind,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        let Place { path, line } = place.clone();
        self.0.push(Finding { path, line, kind, message: message.into(), advice: advice.into() });
    }
}
