//! Settings that do not fit the schema of their policy, with their places.

use std::fmt;

mod path;

pub use path::{PathStep, ValuePath};

/// Settings that do not fit the schema of their policy. Displays on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsMisfit {
    /// At least one.
    pub problems: Vec<SettingsProblem>,
}

/// A setting that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsProblem {
    /// Place in the settings.
    pub path: ValuePath,
    /// The expectation, and the value that was found.
    pub message: String,
    /// Advice.
    pub hint: Option<String>,
    /// True if the key at the place is wrong, not its value.
    pub is_key: bool,
}

impl fmt::Display for SettingsMisfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.problems.iter().enumerate() {
            if number > 0 {
                f.write_str("; ")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for SettingsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The message about a key names it.
        if !self.path.is_empty() && !self.is_key {
            write!(f, "setting `{}`: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}
