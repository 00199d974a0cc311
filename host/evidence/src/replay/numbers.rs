//! Numbers for names, within a bound.

use std::collections::HashMap;
use std::hash::Hash;

/// Numbers in the order in which names occur.
#[derive(Debug)]
pub(super) struct Numbers<N> {
    most: usize,
    numbers: HashMap<N, u32>,
    names: Vec<N>,
}

impl<N: Clone + Hash + Eq> Numbers<N> {
    /// Creates numbers for at most this many names.
    pub(super) fn new(most: usize) -> Self {
        Self { most, numbers: HashMap::new(), names: Vec::new() }
    }

    /// Returns the number of a name; `None` for a new one beyond the bound.
    pub(super) fn number(&mut self, name: &N) -> Option<u32> {
        if let Some(known) = self.numbers.get(name) {
            return Some(*known);
        }
        if self.names.len() >= self.most {
            return None;
        }
        let number = self.names.len() as u32;
        self.names.push(name.clone());
        self.numbers.insert(name.clone(), number);
        Some(number)
    }

    /// Returns the name with a number.
    pub(super) fn name(&self, number: u32) -> Option<&N> {
        self.names.get(number as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_bound_have_no_number() {
        let mut numbers = Numbers::new(9);
        for name in 0..9 {
            assert_eq!(numbers.number(&name), Some(name as u32));
        }
        assert_eq!((numbers.number(&9), numbers.number(&7)), (None, Some(7)));
        assert_eq!((numbers.name(7), numbers.name(u32::MAX)), (Some(&7), None));
    }
}
