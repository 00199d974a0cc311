//! The vector of a request.

use crate::Facts;
use crate::ngram::{BUCKETS, Buckets};
use crate::sign::{SIGNS, signs};

/// Number of features.
pub const COUNT: usize = SIGNS + BUCKETS;

/// Vector of features, without those that are zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SparseVector(Vec<(u16, f64)>);

impl SparseVector {
    /// Returns the features that are not zero, by their number, in ascending order.
    pub fn entries(&self) -> &[(u16, f64)] {
        &self.0
    }

    /// Returns the sum of products with weights by number of a feature.
    pub fn dot(&self, weight: impl Fn(usize) -> f64) -> f64 {
        self.0.iter().fold(0.0, |sum, &(feature, value)| sum + weight(usize::from(feature)) * value)
    }
}

/// Returns the features of a request: the signs, then words and pairs of words, each of the same weight, of
/// length 1 together.
pub fn features(facts: &Facts<'_>) -> SparseVector {
    let signs = signs(facts);
    let buckets = Buckets::of(facts.text);
    let share = 1.0 / (buckets.len().max(1) as f64).sqrt();
    let signs = signs.iter().copied().enumerate().filter(|(_, value)| *value != 0.0);
    let grams = buckets.iter().map(|bucket| (SIGNS + bucket, share));
    let mut entries = Vec::with_capacity(SIGNS + buckets.len());
    // `COUNT` fits: the constant below does not compile otherwise.
    entries.extend(signs.chain(grams).map(|(feature, value)| (feature as u16, value)));
    SparseVector(entries)
}

const _: () = assert!(COUNT <= u16::MAX as usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_ascend_and_words_have_length_one() {
        let vector = features(&Facts { text: "What is the 3rd prime, x? `y`", ..Facts::default() });
        assert!(vector.entries().windows(2).all(|pair| pair[0].0 < pair[1].0));
        let words = vector.entries().iter().filter(|(feature, _)| usize::from(*feature) >= SIGNS);
        let length: f64 = words.map(|(_, value)| value * value).sum();
        assert!((length - 1.0).abs() < 1e-9);
        assert!(
            vector
                .entries()
                .iter()
                .all(|(feature, value)| usize::from(*feature) < COUNT && value.is_finite())
        );
    }

    #[test]
    fn any_text_has_a_vector() {
        for text in ["", "\0", "ä", "\u{1F642}", "\\", "`", "_", "(a)", &"{".repeat(5000)] {
            let vector = features(&Facts { text, ..Facts::default() });
            assert!(vector.entries().iter().all(|(_, value)| value.is_finite()), "{text:?}");
        }
    }
}
