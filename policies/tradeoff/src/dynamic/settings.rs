//! The policy's table in the configuration.

use pointsman_sdk::estimate;
use pointsman_tasks::Qualities;
use serde::Deserialize;

/// All optional.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The quality of models at each kind of task.
    pub quality: Qualities,
    /// The share of the best model's quality that is good enough for an easy request.
    pub easy_share: f64,
    /// The same for a hard one.
    pub hard_share: f64,
    /// The difference in quality within which models count as equal to the best one, so that the
    /// cheapest of them wins.
    pub tolerance: f64,
    /// Calls that a model answers side by side before they slow each other.
    pub slots: f64,
    /// Bytes of the newest user message to look at.
    pub read_bytes: usize,
}

impl Default for Settings {
    /// The shares are those that saved most without loss of quality in a
    /// cross-validation on the training rows of ulab14: policies/dynamic/README.md, "Figures".
    fn default() -> Self {
        Self {
            quality: Qualities::default(),
            easy_share: 0.95,
            hard_share: 0.95,
            tolerance: 0.005,
            slots: estimate::TYPICAL_SLOTS,
            read_bytes: 2048,
        }
    }
}

impl Settings {
    /// Says which setting is wrong, and what would be right.
    pub(super) fn check(&self) -> Result<(), String> {
        self.quality.check()?;
        let shares =
            [("easy_share", self.easy_share), ("hard_share", self.hard_share), ("tolerance", self.tolerance)];
        for (name, value) in shares {
            if !(0.0..=1.0).contains(&value) {
                return Err(format!("setting `{name}`: {value} is not in 0..1"));
            }
        }
        if self.slots.is_nan() || self.slots < 1.0 {
            return Err(format!("setting `slots`: {} is less than 1", self.slots));
        }
        Ok(())
    }
}
