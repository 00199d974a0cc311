//! Linear models with weights of 8 bits.

use std::fmt;

use crate::base64::{byte_at, encode, encodes, text_len};
use crate::sign::SIGNS;
use crate::vector::{COUNT, SparseVector};

/// A row of weights, one for each feature, as text: base64 of signed bytes, which a scale multiplies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QuantizedRow {
    /// Value of a weight of 1.
    pub scale: f64,
    /// Weights in base64.
    pub weights: String,
}

/// A text that is no row of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightError;

impl fmt::Display for WeightError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "is not the base64 of {COUNT} bytes, which has {} characters", text_len(COUNT))
    }
}

impl std::error::Error for WeightError {}

impl QuantizedRow {
    /// Rounds weights to 8 bits. Missing ones are 0.
    pub fn of(weights: &[f64]) -> Self {
        let largest = weights.iter().fold(0.0_f64, |largest, weight| largest.max(weight.abs()));
        let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
        let rounded = |place: usize| (weights.get(place).copied().unwrap_or(0.0) / scale).round() as i8 as u8;
        let bytes: Vec<u8> = (0..COUNT).map(rounded).collect();
        Self { scale, weights: encode(&bytes) }
    }

    /// Returns the weights, each multiplied by the scale.
    pub fn values(&self) -> Vec<f64> {
        (0..COUNT).map(|place| self.scale * weight_at(self.weights.as_bytes(), place)).collect()
    }

    /// Returns the sum of products with a vector.
    pub fn dot(&self, vector: &SparseVector) -> f64 {
        let (signs, words) = Self::dot_text(self.scale, &self.weights, vector);
        signs + words
    }

    /// Checks that a text has a weight for each feature.
    pub(crate) fn check_text(weights: &str) -> Result<(), WeightError> {
        if encodes(weights.as_bytes(), COUNT) { Ok(()) } else { Err(WeightError) }
    }

    /// Returns the sums of products with the signs and with the words of a vector.
    pub(crate) fn dot_text(scale: f64, weights: &str, vector: &SparseVector) -> (f64, f64) {
        let text = weights.as_bytes();
        let (mut signs, mut words) = (0.0, 0.0);
        for &(feature, value) in vector.entries() {
            let feature = usize::from(feature);
            let sum = if feature < SIGNS { &mut signs } else { &mut words };
            *sum += weight_at(text, feature) * value;
        }
        (scale * signs, scale * words)
    }
}

/// Returns a weight of 8 bits; 0 past the end.
fn weight_at(text: &[u8], place: usize) -> f64 {
    f64::from(byte_at(text, place).unwrap_or(0) as i8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Facts, features};

    #[test]
    fn a_rounded_row_is_within_half_a_step_for_each_feature() {
        let weights: Vec<f64> = (0..COUNT).map(|place| ((place * 37) % 101) as f64 / 50.0 - 1.0).collect();
        let row = QuantizedRow::of(&weights);
        assert_eq!(QuantizedRow::check_text(&row.weights), Ok(()));
        assert!(row.values().iter().zip(&weights).all(|(a, b)| (a - b).abs() <= row.scale / 2.0 + 1e-12));
        let vector = features(&Facts { text: "Why is the sky blue, and when not?", ..Facts::default() });
        let exact = vector.dot(|feature| weights[feature]);
        let sum: f64 = vector.entries().iter().map(|(_, value)| value.abs()).sum();
        assert!((row.dot(&vector) - exact).abs() <= sum * row.scale / 2.0 + 1e-12);
        assert_eq!(QuantizedRow::of(&[]).dot(&vector), 0.0);
    }

    #[test]
    fn texts_that_are_no_weights_are_rejected() {
        let row = QuantizedRow::of(&[1.0]);
        let with = QuantizedRow::check_text;
        assert_eq!(with(""), Err(WeightError));
        assert_eq!(with(&row.weights[1..]), Err(WeightError));
        assert_eq!(with(&row.weights.replacen('A', "*", 1)), Err(WeightError));
    }
}
