//! The policy's table in the configuration.

use pointsman_sdk::{Candidate, Pattern};
use serde::Deserialize;

use super::Obstacle;

/// All optional.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Patterns of models, the most preferred first; the order of the route if empty.
    pub order: Vec<Pattern>,
    /// Calls in flight at which a model is busy.
    pub max_in_flight: Option<u32>,
    /// Milliseconds to the first token above which a model is slow.
    pub max_first_token_ms: Option<f64>,
    /// Share of failed calls, 0..1, above which a model comes after those that work.
    pub max_error_rate: Option<f64>,
    /// Milliseconds to wait for the first byte of each model but the last.
    pub timeout_ms: Option<u32>,
}

impl Settings {
    pub(crate) fn check(&self) -> Result<(), String> {
        for (position, pattern) in self.order.iter().enumerate() {
            let text = pattern.as_str();
            if text.is_empty() {
                return Err("setting `order`: an empty name matches no model".to_owned());
            }
            if self.order[..position].contains(pattern) {
                return Err(format!("setting `order`: {text:?} is listed twice; remove one"));
            }
        }
        if self.max_in_flight == Some(0) {
            return Err(
                "setting `max_in_flight`: 0 would make every model busy; 1 or more is expected".into()
            );
        }
        if let Some(limit) = self.max_first_token_ms.filter(|limit| !(limit.is_finite() && *limit > 0.0)) {
            return Err(format!("setting `max_first_token_ms`: {limit} is not a number above 0"));
        }
        if let Some(limit) = self.max_error_rate.filter(|limit| !(0.0..=1.0).contains(limit)) {
            return Err(format!("setting `max_error_rate`: {limit} is not in 0..1"));
        }
        if self.timeout_ms == Some(0) {
            return Err(
                "setting `timeout_ms`: 0 would end every attempt at once; 1 or more is expected".into()
            );
        }
        Ok(())
    }

    /// Returns the gravest reason to try a model after the others.
    pub(crate) fn obstacle(&self, model: &Candidate) -> Option<Obstacle> {
        if !model.healthy {
            return Some(Obstacle::Unhealthy);
        }
        if let Some(limit) = self.max_error_rate.filter(|limit| model.error_rate > *limit) {
            return Some(Obstacle::Failing { error_rate: model.error_rate, limit });
        }
        if let Some((first_token_ms, limit)) = model.first_token_ms.zip(self.max_first_token_ms)
            && first_token_ms > limit
        {
            return Some(Obstacle::Slow { first_token_ms, limit });
        }
        let limit = self.max_in_flight.filter(|limit| model.in_flight >= *limit)?;
        Some(Obstacle::Busy { in_flight: model.in_flight, limit })
    }
}
