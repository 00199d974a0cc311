//! Linear models with weights of 8 bits.

use std::fmt;

use crate::base64::{BytePlace, encode, encodes, text_len};
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
        let text = self.weights.as_bytes();
        (0..COUNT).map(|feature| self.scale * weight_at(text, BytePlace::of(feature))).collect()
    }

    /// Returns the sum of products with a vector.
    pub fn dot(&self, vector: &SparseVector) -> f64 {
        let (signs, words) = Lookup::of(vector).dot(self.scale, &self.weights);
        signs + words
    }

    /// Checks that a text has a weight for each feature.
    pub(crate) fn check_text(weights: &str) -> Result<(), WeightError> {
        if encodes(weights.as_bytes(), COUNT) { Ok(()) } else { Err(WeightError) }
    }

    /// Checks the length of a text alone, which is fast.
    pub(crate) fn check_length(weights: &str) -> Result<(), WeightError> {
        if weights.len() == text_len(COUNT) { Ok(()) } else { Err(WeightError) }
    }
}

/// Entries of a vector with the places of their weights, which are the same in each row.
pub(crate) struct Lookup {
    entries: Vec<(BytePlace, f64)>,
    /// Number of entries that are signs.
    signs: usize,
}

impl Lookup {
    pub(crate) fn of(vector: &SparseVector) -> Self {
        let entries = vector.entries();
        let signs = entries.partition_point(|(feature, _)| usize::from(*feature) < SIGNS);
        let place = |&(feature, value): &(u16, f64)| (BytePlace::of(usize::from(feature)), value);
        Self { entries: entries.iter().map(place).collect(), signs }
    }

    /// Returns the sums of products with the signs and with the words of the vector.
    pub(crate) fn dot(&self, scale: f64, weights: &str) -> (f64, f64) {
        let text = weights.as_bytes();
        let sum = |entries: &[(BytePlace, f64)]| {
            entries.iter().fold(0.0, |sum, &(place, value)| sum + weight_at(text, place) * value)
        };
        let (signs, words) = self.entries.split_at(self.signs);
        (scale * sum(signs), scale * sum(words))
    }
}

/// Returns a weight of 8 bits; 0 past the end.
fn weight_at(text: &[u8], place: BytePlace) -> f64 {
    f64::from(place.read(text).unwrap_or(0) as i8)
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
