//! The policy's table in the configuration.

use pointsman_sdk::Pattern;
use serde::{Deserialize, Serialize};

/// Most levels: with a judge each level but the last takes two steps, and the
/// gateway allows eight for a request.
const MOST_LEVELS: usize = 4;

/// All optional.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The check of an answer.
    pub check: Check,
    /// The maximum number of models that are tried one after the other.
    pub levels: usize,
    /// The confidence that a model has to report, 0..100.
    pub threshold: u8,
    /// The grade that the judge has to give, 0..10.
    pub grade: f64,
    /// The model that judges: a pattern in which `*` matches any characters. The best one if not
    /// set.
    pub judge: Option<Pattern>,
    /// The least bytes of an answer that will do for the check `length`.
    pub min_bytes: u32,
    /// Bytes of the newest user message that `auto` looks at.
    pub read_bytes: usize,
}

/// The check of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// `json` for a request that asks for JSON, `code` for one that looks like
    /// programming, `self-report` for any other.
    #[default]
    Auto,
    /// The model says how sure it is.
    SelfReport,
    /// Another model gives a grade.
    Judge,
    /// The answer is JSON.
    Json,
    /// There is a program in the answer, and it looks whole.
    Code,
    /// The answer ended by itself and is not too short.
    Length,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            check: Check::Auto,
            levels: 3,
            threshold: 80,
            grade: 7.0,
            judge: None,
            min_bytes: 1,
            read_bytes: 2048,
        }
    }
}

impl Settings {
    /// Says which setting is wrong, and what would be right.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !(2..=MOST_LEVELS).contains(&self.levels) {
            return Err(format!("setting `levels`: {} is not in 2..{MOST_LEVELS}", self.levels));
        }
        if self.threshold > 100 {
            return Err(format!("setting `threshold`: {} is not in 0..100", self.threshold));
        }
        if !(0.0..=10.0).contains(&self.grade) {
            return Err(format!("setting `grade`: {} is not in 0..10", self.grade));
        }
        if self.judge.as_ref().is_some_and(|pattern| pattern.as_str().is_empty()) {
            return Err("setting `judge`: it is empty; leave it out, or name a model".to_owned());
        }
        Ok(())
    }
}
