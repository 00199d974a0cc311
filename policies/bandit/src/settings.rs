//! The policy's table in the configuration.

use pointsman_sdk::Candidate;
use serde::Deserialize;

/// All optional.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Worth that a US dollar takes from an answer.
    pub worth_per_usd: f64,
    /// Worth that a second takes from an answer.
    pub worth_per_second: f64,
    /// Weight of the mean score of ratings.
    pub score_weight: f64,
    /// Name of the ratings that count; all if absent.
    pub rating: Option<String>,
    /// Number of answers that the prior counts as.
    pub prior_weight: f64,
    /// Input tokens from which on a request is of the kind `long`.
    pub long_input_tokens: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            worth_per_usd: 10.0,
            worth_per_second: 0.02,
            score_weight: 1.0,
            rating: None,
            prior_weight: 2.0,
            long_input_tokens: 4_000,
        }
    }
}

impl Settings {
    pub(crate) fn check(&self) -> Result<(), String> {
        for (name, value, most) in [
            ("worth_per_usd", self.worth_per_usd, 1e6),
            ("worth_per_second", self.worth_per_second, 1e6),
            ("score_weight", self.score_weight, 1e3),
        ] {
            if !(0.0..=most).contains(&value) {
                return Err(format!(
                    "setting `{name}`: a number from 0 to {most} is expected, this is {value}"
                ));
            }
        }
        if !(0.1..=1e6).contains(&self.prior_weight) {
            let value = self.prior_weight;
            return Err(format!(
                "setting `prior_weight`: a number from 0.1 to 1000000 is expected, this is {value}"
            ));
        }
        Ok(())
    }

    /// Returns the worth of an answer: 1, less its cost and its time, and 0 at least.
    pub(crate) fn worth(&self, cost_usd: f64, latency_ms: f64) -> f64 {
        let worth = 1.0 - self.worth_per_usd * cost_usd - self.worth_per_second * latency_ms / 1000.0;
        worth.clamp(0.0, 1.0)
    }

    /// Returns the worth that is assumed of a model before it is known.
    pub(crate) fn prior(&self, model: &Candidate) -> f64 {
        model.quality.unwrap_or(0.5).clamp(0.0, 1.0)
    }
}
