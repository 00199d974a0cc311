//! A space of few dimensions in which requests of one kind are near each other, with the centres of the kinds
//! that were seen.

use serde::{Deserialize, Serialize};

use crate::model::{Lookup, QuantizedRow, WeightError};
use crate::numbers::Numbers;
use crate::sign::SIGNS;
use crate::vector::SparseVector;

/// Power of the ratio of squared distances in memberships. A power of two needs no function that differs from
/// one platform to the next.
const SHARPNESS: u32 = 4;
/// Added to squared distances, so that a request on a centre is not divided by zero.
const SOFTNESS: f64 = 0.01;

/// A direction in the space of all features.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Value of a weight of 1.
    pub scale: f64,
    /// Weights in base64.
    pub weights: String,
    /// Mean of the requests along the axis.
    pub mean: f64,
    /// Squared length of the part of the axis that weighs words.
    pub length: f64,
}

/// Axes and centres.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Space {
    /// Axes.
    pub axes: Vec<Axis>,
    /// Centres, each with a coordinate for each axis.
    pub centres: Vec<Numbers>,
    /// Inverse variance of the requests around each centre; empty where no deviance is learnt.
    #[serde(skip_serializing_if = "<[f64]>::is_empty")]
    pub precisions: Numbers,
    /// Deviance of a request on each centre.
    #[serde(skip_serializing_if = "<[f64]>::is_empty")]
    pub offsets: Numbers,
}

/// Place of a request in a space.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// Share of each centre in the request; 1 together.
    pub memberships: Vec<f64>,
    /// Squared distance to the nearest centre.
    pub distance: f64,
    /// Least deviance among the centres: twice the negative logarithm of the likelihood of a Gaussian distribution
    /// around the centre, weighted by its share of the requests, up to a constant. 0 where none is learnt.
    pub deviance: f64,
    /// Share of the words, 0..1, that no axis describes.
    pub rest: f64,
}

impl Space {
    /// Checks the sizes of all rows, but not the characters of weights.
    ///
    /// # Errors
    /// The error names the axis or centre.
    pub(crate) fn check(&self) -> Result<(), (&'static str, usize, Option<WeightError>)> {
        for (number, axis) in self.axes.iter().enumerate() {
            QuantizedRow::check_length(&axis.weights).map_err(|error| ("axes", number, Some(error)))?;
            if ![axis.scale, axis.mean, axis.length].iter().all(|value| value.is_finite())
                || axis.length < 0.0
            {
                return Err(("axes", number, None));
            }
        }
        let is_point = |centre: &Numbers| {
            centre.len() == self.axes.len() && centre.iter().all(|coordinate| coordinate.is_finite())
        };
        if let Some(number) = self.centres.iter().position(|centre| !is_point(centre)) {
            return Err(("centres", number, None));
        }
        for (name, numbers) in [("precisions", &self.precisions), ("offsets", &self.offsets)] {
            let are_all = numbers.len() == self.centres.len() || numbers.is_empty();
            if !are_all || numbers.iter().any(|number| !number.is_finite()) {
                return Err((name, numbers.len(), None));
            }
        }
        Ok(())
    }

    /// Returns the coordinates of a vector, and the share of its words that no axis describes.
    pub fn project(&self, vector: &SparseVector) -> (Vec<f64>, f64) {
        self.project_with(vector, &Lookup::of(vector))
    }

    pub(crate) fn project_with(&self, vector: &SparseVector, lookup: &Lookup) -> (Vec<f64>, f64) {
        let words: f64 = vector
            .entries()
            .iter()
            .filter(|(feature, _)| usize::from(*feature) >= SIGNS)
            .map(|(_, value)| value * value)
            .sum();
        let mut rest = words;
        let coordinate = |axis: &Axis| {
            let (signs, words) = lookup.dot(axis.scale, &axis.weights);
            if axis.length > 0.0 {
                rest -= words * words / axis.length;
            }
            signs + words - axis.mean
        };
        let coordinates = self.axes.iter().map(coordinate).collect();
        (coordinates, rest)
    }

    /// Returns the place of coordinates, as in fuzzy c-means (Bezdek, 1981).
    pub fn place(&self, coordinates: &[f64], rest: f64) -> Place {
        let squares = |centre: &Numbers| {
            centre.iter().zip(coordinates).fold(0.0, |sum, (a, b)| sum + (a - b) * (a - b))
        };
        let mut memberships: Vec<f64> = self.centres.iter().map(squares).collect();
        let distance = memberships.iter().copied().fold(f64::INFINITY, f64::min);
        let deviances = memberships.iter().zip(self.precisions.iter().zip(self.offsets.iter()));
        let deviances = deviances.map(|(squares, (precision, offset))| squares * precision + offset);
        let deviance = deviances.reduce(f64::min).unwrap_or(0.0);
        let mut sum = 0.0;
        for membership in &mut memberships {
            let ratio = (distance + SOFTNESS) / (*membership + SOFTNESS);
            *membership = (1..SHARPNESS).fold(ratio, |power, _| power * ratio);
            sum += *membership;
        }
        memberships.iter_mut().for_each(|membership| *membership /= sum);
        Place { memberships, distance, deviance, rest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{COUNT, Facts, features};

    fn axis(weights: &[f64]) -> Axis {
        let row = QuantizedRow::of(weights);
        Axis { scale: row.scale, weights: row.weights, mean: 0.0, length: 1.0 }
    }

    #[test]
    fn a_request_belongs_to_the_centre_that_is_near() {
        let mut weights = vec![0.0; COUNT];
        weights[0] = 1.0;
        let space = Space {
            axes: vec![axis(&weights)],
            centres: vec![[0.0].into(), [1.0].into()],
            ..Space::default()
        };
        assert_eq!(space.check(), Ok(()));
        let place = |text: &str| {
            let (coordinates, rest) = space.project(&features(&Facts { text, ..Facts::default() }));
            space.place(&coordinates, rest)
        };
        // The first sign is the length.
        assert!(place("a").memberships[0] > 0.9);
        assert!(place(&"long ".repeat(900)).memberships[1] > 0.9);
        let place = place("some more words");
        assert!((place.memberships.iter().sum::<f64>() - 1.0).abs() < 1e-12 && place.distance > 0.0);
        assert!((place.rest - 1.0).abs() < 1e-12);
        // A request between both is likelier to be of the centre with the greater variance.
        let wide = Space { precisions: [100.0, 1.0].into(), offsets: [0.0, 0.5].into(), ..space };
        let deviance = |at: f64| wide.place(&[at], 0.0).deviance;
        assert!((deviance(0.0) - 0.0).abs() < 1e-12 && (deviance(1.0) - 0.5).abs() < 1e-12);
        assert!((deviance(0.4) - 0.86).abs() < 1e-12);
    }

    #[test]
    fn rows_of_a_wrong_size_are_reported() {
        let good = Space { axes: vec![axis(&[1.0])], centres: vec![[0.5].into()], ..Space::default() };
        let with = |change: fn(&mut Space)| {
            let mut space = good.clone();
            change(&mut space);
            space.check().map_err(|(what, number, _)| (what, number))
        };
        assert_eq!(with(|_| ()), Ok(()));
        assert_eq!(with(|space| space.axes[0].weights.clear()), Err(("axes", 0)));
        assert_eq!(with(|space| space.axes[0].mean = f64::NAN), Err(("axes", 0)));
        assert_eq!(with(|space| space.centres.push([].into())), Err(("centres", 1)));
        assert_eq!(with(|space| space.precisions = [1.0, 2.0].into()), Err(("precisions", 2)));
        assert_eq!(with(|space| space.offsets = [f64::INFINITY].into()), Err(("offsets", 1)));
    }
}
