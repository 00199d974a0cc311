//! Embeddings of texts, for comparing them.

/// The direction of an embedding, with one byte for each of its numbers, so that many fit into
/// [`state`](crate::state). The rounding changes a [`similarity`](Self::similarity) by less than 0.01.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embedding(Vec<i8>);

impl Embedding {
    /// Reads the first `most` numbers of a JSON array, as the output of an embedding task has it. The text
    /// may be cut: a number that is cut is left out. `None` if there is no number other than 0, or one
    /// that is not finite.
    ///
    /// The first numbers of an embedding compare nearly as well as all of them, and a call of a policy
    /// may read a limited number of bytes only.
    pub fn from_json(text: &str, most: usize) -> Option<Self> {
        let numbers = text.trim_start().strip_prefix('[')?;
        let (numbers, is_whole) = match numbers.split_once(']') {
            Some((numbers, _)) => (numbers, true),
            None => (numbers, false),
        };
        let mut texts: Vec<&str> = numbers.split(',').take(most.saturating_add(1)).collect();
        if !is_whole || texts.len() > most {
            texts.pop();
        }
        let numbers: Option<Vec<f32>> = texts.into_iter().map(|text| text.trim().parse().ok()).collect();
        Self::new(&numbers?)
    }

    /// Creates an embedding from its numbers. `None` if all are 0, or one is not finite.
    pub fn new(numbers: &[f32]) -> Option<Self> {
        let largest = numbers.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
        if largest == 0.0 || !numbers.iter().all(|number| number.is_finite()) {
            return None;
        }
        // Within -127..=127 by construction.
        Some(Self(numbers.iter().map(|number| (number / largest * 127.0).round() as i8).collect()))
    }

    /// Reads what [`to_bytes`](Self::to_bytes) returned.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.iter().map(|byte| byte.cast_signed()).collect())
    }

    /// Returns a byte for each number.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().map(|number| number.cast_unsigned()).collect()
    }

    /// Returns the cosine of the angle between two embeddings, -1 to 1. `None` if they have different
    /// lengths, so are of different models.
    pub fn similarity(&self, other: &Self) -> Option<f64> {
        if self.0.len() != other.0.len() {
            return None;
        }
        let dot = |a: &[i8], b: &[i8]| -> f64 {
            a.iter().zip(b).map(|(a, b)| f64::from(i32::from(*a) * i32::from(*b))).sum()
        };
        let lengths = (dot(&self.0, &self.0) * dot(&other.0, &other.0)).sqrt();
        (lengths > 0.0).then(|| dot(&self.0, &other.0) / lengths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_array_gives_its_complete_numbers() {
        let whole = Embedding::from_json(" [0.5, -1e0,2.5e-1]", 9).unwrap();
        assert_eq!(whole, Embedding::new(&[0.5, -1.0, 0.25]).unwrap());
        assert_eq!(Embedding::from_json("[0.5,-1,0.25]", 2), Embedding::new(&[0.5, -1.0]));
        assert_eq!(Embedding::from_json("[0.5,-1,0.2", 9), Embedding::new(&[0.5, -1.0]));
        assert_eq!(Embedding::from_json("[0.5,-1,0.2", 2), Embedding::new(&[0.5, -1.0]));
        for broken in ["", "0.5", "[", "[]", "[0,0]", "[x]", "[1,]", "[NaN]", "[1,inf]", "{\"a\":1}"] {
            assert_eq!(Embedding::from_json(broken, 9), None, "{broken}");
        }
    }

    #[test]
    fn similarity_is_the_cosine_and_survives_storage() {
        let of = |numbers: &[f32]| Embedding::new(numbers).unwrap();
        let similarity = |a: &[f32], b: &[f32]| of(a).similarity(&of(b)).unwrap();
        assert!((similarity(&[1.0, 0.0], &[3.0, 0.0]) - 1.0).abs() < 1e-9);
        assert!((similarity(&[1.0, 0.0], &[-0.1, 0.0]) + 1.0).abs() < 1e-9);
        assert!(similarity(&[1.0, 0.0], &[0.0, 2.0]).abs() < 1e-9);
        assert!((similarity(&[0.3, 0.4], &[0.4, 0.3]) - 0.96).abs() < 0.01);
        assert_eq!(of(&[1.0]).similarity(&of(&[1.0, 0.0])), None);
        let kept = of(&[0.1, -0.7, 0.3]);
        assert_eq!(Embedding::from_bytes(&kept.to_bytes()), kept);
        assert_eq!(Embedding::from_bytes(&[0, 0]).similarity(&of(&[1.0, 0.0])), None);
    }
}
