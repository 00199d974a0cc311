//! A learnt router, as `pointsman learn` writes it and the policy `learned` reads it: the predicted score of
//! each model, and whether a request is like those that the prediction was learnt from.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{Lookup, QuantizedRow, WeightError};
use crate::numbers::Numbers;
use crate::space::{Place, Space};
use crate::vector::{SparseVector, features};
use crate::{Facts, VERSION};

/// Bytes of the newest user message that are read, if nothing else is stated.
const READ_BYTES: usize = 4096;
/// Most models.
const MOST_MODELS: usize = 64;

/// A learnt router.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Router {
    /// Number of the feature set.
    pub features: u32,
    /// Bytes of the newest user message that are read.
    pub read_bytes: usize,
    /// Score that a US dollar has to bring: the decision is the model with the greatest predicted score
    /// minus this times its predicted cost.
    pub score_per_dollar: f64,
    /// Limits beyond which a request is unlike those learnt from.
    pub guard: Guard,
    /// Kinds of requests.
    pub space: Space,
    /// Models.
    pub models: Vec<RoutedModel>,
}

/// Limits beyond which a request is unlike those learnt from; no limit where none is stated.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Guard {
    /// Largest deviance from the centres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deviance: Option<f64>,
    /// Largest squared distance to the nearest centre.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance: Option<f64>,
    /// Largest share of words that no axis describes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest: Option<f64>,
}

/// A model of a router.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RoutedModel {
    /// Name, or pattern of names.
    pub model: String,
    /// Mean score of all requests learnt from.
    pub mean: f64,
    /// Mean tokens of an answer.
    pub output_tokens: f64,
    /// Predicted score of a request without features.
    pub bias: f64,
    /// Value of a weight of 1.
    pub scale: f64,
    /// Weights of the features in base64.
    pub weights: String,
    /// Additions of the centres to the score.
    pub centres: Numbers,
}

/// Prediction for a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Predicted score of each model of the router.
    pub scores: Vec<f64>,
    /// True if the request is like those that were learnt from.
    pub is_familiar: bool,
}

/// An invalid part of a router.
#[derive(Clone, Debug, PartialEq)]
pub struct RouterError {
    /// Path of the setting.
    pub setting: String,
    /// Description of the fault.
    pub message: String,
}

impl fmt::Display for RouterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "setting `{}`: {}", self.setting, self.message)
    }
}

impl std::error::Error for RouterError {}

impl Default for Router {
    fn default() -> Self {
        Self {
            features: VERSION,
            read_bytes: READ_BYTES,
            score_per_dollar: 0.0,
            guard: Guard::default(),
            space: Space::default(),
            models: Vec::new(),
        }
    }
}

impl Guard {
    /// Returns true for a place within the limits.
    pub fn admits(&self, place: &Place) -> bool {
        self.deviance.is_none_or(|most| place.deviance <= most)
            && self.distance.is_none_or(|most| place.distance <= most)
            && self.rest.is_none_or(|most| place.rest <= most)
    }
}

impl Router {
    /// Checks versions, sizes, ranges and weights.
    ///
    /// # Errors
    /// The error names the first setting that is wrong.
    pub fn check(&self) -> Result<(), RouterError> {
        self.check_sizes()?;
        let axes = self.space.axes.iter().map(|axis| &axis.weights);
        let models = self.models.iter().map(|model| &model.weights);
        let axes = axes.enumerate().map(|(number, text)| (format!("space.axes[{number}]"), text));
        let models = models.enumerate().map(|(number, text)| (format!("models[{number}].weights"), text));
        for (setting, text) in axes.chain(models) {
            if let Err(cause) = QuantizedRow::check_text(text) {
                return Err(RouterError { setting, message: format!("the text {cause}") });
            }
        }
        Ok(())
    }

    /// Checks all but the characters of weights, whose number would make each decision slow. A character that
    /// is none of base64 counts as a weight of 0.
    ///
    /// # Errors
    /// The error names the first setting that is wrong.
    pub fn check_sizes(&self) -> Result<(), RouterError> {
        let error = |setting: String, message: String| Err(RouterError { setting, message });
        if self.features != VERSION {
            let message =
                format!("learnt with feature set {}, and this is {VERSION}; learn again", self.features);
            return error("features".to_owned(), message);
        }
        if !self.score_per_dollar.is_finite() || self.score_per_dollar < 0.0 {
            return error("score_per_dollar".to_owned(), format!("{} is less than 0", self.score_per_dollar));
        }
        if self.models.len() > MOST_MODELS {
            let message = format!("{} models, and at most {MOST_MODELS} are possible", self.models.len());
            return error("models".to_owned(), message);
        }
        let weights = |cause: Option<WeightError>| match cause {
            Some(cause) => format!("the text {cause}"),
            None => "a number is missing or not finite".to_owned(),
        };
        if let Err((what, number, cause)) = self.space.check() {
            return error(format!("space.{what}[{number}]"), weights(cause));
        }
        for (number, model) in self.models.iter().enumerate() {
            let setting = || format!("models[{number}]");
            if let Err(cause) = QuantizedRow::check_length(&model.weights) {
                return error(setting() + ".weights", weights(Some(cause)));
            }
            if model.centres.len() != self.space.centres.len() {
                let (has, all) = (model.centres.len(), self.space.centres.len());
                return error(setting() + ".centres", format!("{has} numbers for {all} centres of `space`"));
            }
            let numbers = [model.mean, model.output_tokens, model.bias, model.scale];
            if !numbers.iter().chain(model.centres.iter()).all(|number| number.is_finite()) {
                return error(setting(), weights(None));
            }
        }
        Ok(())
    }

    /// Predicts the scores of a request.
    pub fn predict(&self, facts: &Facts<'_>) -> Prediction {
        self.predict_vector(&features(facts))
    }

    /// Predicts the scores of a request with these features.
    pub fn predict_vector(&self, vector: &SparseVector) -> Prediction {
        let lookup = Lookup::of(vector);
        let (coordinates, rest) = self.space.project_with(vector, &lookup);
        let place = self.space.place(&coordinates, rest);
        let score = |model: &RoutedModel| {
            let (signs, words) = lookup.dot(model.scale, &model.weights);
            let centres = model.centres.iter().zip(&place.memberships);
            centres.fold(model.bias + signs + words, |sum, (weight, share)| sum + weight * share)
        };
        Prediction {
            scores: self.models.iter().map(score).collect(),
            is_familiar: self.space.centres.is_empty() || self.guard.admits(&place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str, weights: &[f64]) -> RoutedModel {
        let row = QuantizedRow::of(weights);
        RoutedModel {
            model: name.to_owned(),
            mean: 0.5,
            output_tokens: 100.0,
            bias: 0.5,
            scale: row.scale,
            weights: row.weights,
            centres: [0.1].into(),
        }
    }

    fn router() -> Router {
        let row = QuantizedRow::of(&[1.0]);
        let axis = crate::Axis { scale: row.scale, weights: row.weights, mean: 0.0, length: 0.0 };
        Router {
            guard: Guard { distance: Some(0.1), ..Guard::default() },
            space: Space { axes: vec![axis], centres: vec![[0.5].into()], ..Space::default() },
            models: vec![model("small", &[-0.4]), model("large", &[])],
            ..Router::default()
        }
    }

    #[test]
    fn scores_follow_the_weights_and_unlike_requests_are_seen() {
        let predict = |text: &str| router().predict(&Facts { text, ..Facts::default() });
        let (short, long) = (predict("a short question here"), predict(&"a long one ".repeat(2000)));
        assert!(short.scores[0] > long.scores[0] && short.scores[0] < short.scores[1]);
        assert!((short.scores[1] - 0.6).abs() < 1e-6);
        assert!(short.is_familiar && !long.is_familiar);
    }

    #[test]
    fn settings_are_read_as_they_were_written() {
        let json = serde_json::to_string(&router()).unwrap();
        assert_eq!(serde_json::from_str::<Router>(&json).unwrap(), router());
        assert_eq!(serde_json::from_str::<Router>("{}").unwrap(), Router::default());
        // Earlier versions wrote numbers as lists.
        let mut earlier = serde_json::to_value(router()).unwrap();
        earlier["space"]["centres"] = serde_json::json!([[0.5]]);
        earlier["models"][1]["centres"] = serde_json::json!([f64::from(0.1_f32)]);
        assert_eq!(serde_json::from_value::<Router>(earlier).unwrap(), router());
    }

    #[test]
    fn the_wrong_setting_is_named() {
        let with = |change: fn(&mut Router)| {
            let mut router = router();
            change(&mut router);
            router.check().map_err(|error| error.to_string())
        };
        assert_eq!(with(|_| ()), Ok(()));
        let error = |change| with(change).unwrap_err();
        assert_eq!(
            error(|it| it.features = 9),
            "setting `features`: learnt with feature set 9, and this is 1; learn again"
        );
        assert_eq!(error(|it| it.score_per_dollar = -1.0), "setting `score_per_dollar`: -1 is less than 0");
        assert!(
            error(|it| it.models[1].weights.push('A'))
                .starts_with("setting `models[1].weights`: the text is not")
        );
        assert_eq!(
            error(|it| it.models[0].centres = [].into()),
            "setting `models[0].centres`: 0 numbers for 1 centres of `space`"
        );
        assert!(error(|it| it.space.centres.push([].into())).starts_with("setting `space.centres[1]`"));
        let invalid =
            |it: &mut Router| it.space.axes[0].weights = it.space.axes[0].weights.replacen('A', "*", 1);
        assert!(error(invalid).starts_with("setting `space.axes[0]`: the text is not"));
        assert!(error(|it| it.models[0].bias = f64::NAN).starts_with("setting `models[0]`"));
    }
}
