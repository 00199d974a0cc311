//! Sets of choices of an answer.

/// Set of indexes of choices. Indexes from 127 on, which no server offers, count as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::openai) struct ChoiceSet(u128);

impl ChoiceSet {
    pub const EMPTY: Self = Self(0);

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    pub fn insert(&mut self, index: u64) {
        self.0 |= 1 << index.min(127);
    }

    pub fn extend(&mut self, other: Self) {
        self.0 |= other.0;
    }
}
