//! The policy's table in the configuration.

use std::collections::BTreeMap;

use pointsman_sdk::{Candidate, Pattern, details};
use serde::Deserialize;

/// The largest weight. It bounds sums, and a larger one is a mistake.
const MAX_WEIGHT: f64 = 1e9;

/// All optional.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Weights by pattern of models.
    pub weights: BTreeMap<Pattern, f64>,
    /// Attribute of models that states the weight of those without one in `weights`.
    pub attribute: Option<String>,
    /// True if all requests of a session get the same model.
    pub sticky: bool,
    /// Text that enters every draw: another text draws anew.
    pub salt: String,
}

impl Settings {
    pub(crate) fn check(&self) -> Result<(), String> {
        for (pattern, weight) in &self.weights {
            let pattern = pattern.as_str();
            if pattern.is_empty() {
                return Err("setting `weights`: an empty name matches no model".to_owned());
            }
            check(*weight).map_err(|problem| format!("setting `weights.{pattern}`: {problem}"))?;
        }
        if !self.weights.is_empty()
            && self.weights.values().all(|weight| *weight == 0.0)
            && self.attribute.is_none()
        {
            return Err("setting `weights`: all are 0; at least one has to be above 0".to_owned());
        }
        if self.attribute.as_deref() == Some("") {
            return Err(
                "setting `attribute`: the name of an attribute is expected, such as \"weight\"".to_owned()
            );
        }
        Ok(())
    }

    /// Returns the weight of a candidate; 0 if none is stated.
    ///
    /// # Errors
    /// Fails if the candidate's attribute is no weight.
    pub(crate) fn weight(&self, index: usize, model: &Candidate) -> Result<f64, String> {
        let fitting = self.weights.iter().filter(|(pattern, _)| pattern.fits(&model.id));
        if let Some((_, weight)) = fitting.max_by_key(|(pattern, _)| precision(pattern)) {
            return Ok(*weight);
        }
        let Some(attribute) = &self.attribute else { return Ok(0.0) };
        let Some(text) = details::candidate_attribute(index, attribute) else { return Ok(0.0) };
        let weight = text.trim().parse().map_err(|_| "it is not a number".to_owned());
        weight
            .and_then(|weight| check(weight).map(|()| weight))
            .map_err(|problem| format!("attribute `{attribute}` of {} is {text:?}: {problem}", model.id))
    }
}

/// Returns a rank of patterns: a name is more precise than a pattern, and one with more
/// characters beside `*` than one with fewer.
fn precision(pattern: &Pattern) -> (bool, usize) {
    let stars = pattern.as_str().bytes().filter(|byte| *byte == b'*').count();
    (stars == 0, pattern.as_str().len() - stars)
}

fn check(weight: f64) -> Result<(), String> {
    if (0.0..=MAX_WEIGHT).contains(&weight) {
        return Ok(());
    }
    Err(format!("{weight} is not a weight; a number from 0 to {MAX_WEIGHT} is expected"))
}
