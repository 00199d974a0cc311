//! Random numbers that are the same for the same seed.

/// Generator of random values for one input.
#[derive(Debug)]
pub struct Random(fastrand::Rng);

/// Multiplier that spreads consecutive numbers over all bits.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// Creates the generator of an input, which depends on nothing but the seed and the input's number.
    pub fn of(seed: u64, number: u64) -> Self {
        Self(fastrand::Rng::with_seed(
            seed.wrapping_mul(SPREAD) ^ number.wrapping_add(1).wrapping_mul(SPREAD >> 1),
        ))
    }

    /// Returns a number below a bound; 0 if the bound is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { self.0.usize(..bound) }
    }

    /// Returns a number of a range that includes its end.
    pub fn between(&mut self, least: usize, most: usize) -> usize {
        least + self.below((most + 1).saturating_sub(least))
    }

    /// Returns true once in this many times on average.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Returns one of the items, or the default if there are none.
    pub fn pick<T: Clone + Default>(&mut self, items: &[T]) -> T {
        self.pick_ref(items).cloned().unwrap_or_default()
    }

    /// Returns one of the items, if there are any.
    pub fn pick_ref<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// Returns each item with a probability of one half.
    pub fn subset<T: Clone>(&mut self, items: &[T]) -> Vec<T> {
        items.iter().filter(|_| self.0.bool()).cloned().collect()
    }

    /// Returns a number from 0 to below 1.
    pub fn fraction(&mut self) -> f64 {
        self.0.f64()
    }

    /// Returns a number of any size, more often a small or an extreme one.
    pub fn count(&mut self) -> u32 {
        match self.below(10) {
            0 => 0,
            1 => 1,
            2 => u32::MAX,
            3 => self.pick(&[7, 8, 255, 256, 1_023, 1_024, 4_095, 4_096, 8_192, 32_768, 65_535, 65_536]),
            4 => self.0.u32(..),
            5 | 6 => self.0.u32(..10),
            _ => self.0.u32(..100_000),
        }
    }

    /// Returns true or false.
    pub fn flip(&mut self) -> bool {
        self.0.bool()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_depend_on_seed_and_input_alone() {
        let numbers = |seed, number| -> Vec<usize> {
            let mut random = Random::of(seed, number);
            (0..20).map(|_| random.below(1_000)).collect()
        };
        assert_eq!(numbers(1, 7), numbers(1, 7));
        assert_ne!(numbers(1, 7), numbers(1, 8));
        assert_ne!(numbers(1, 7), numbers(2, 7));
    }

    #[test]
    fn bounds_hold_and_both_ends_occur() {
        let mut random = Random::of(3, 0);
        assert_eq!((random.below(0), random.pick::<u32>(&[])), (0, 0));
        let seen: std::collections::BTreeSet<usize> = (0..200).map(|_| random.between(2, 4)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [2, 3, 4]);
        assert!((0..100).all(|_| (0.0..1.0).contains(&random.fraction())));
    }
}
