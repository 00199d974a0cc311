//! Position of a visitor in a document.

/// Limit of nested places that a visitor can know.
const MAX_KNOWN: usize = 8;

/// Path from the root of a document to the current value: known places, each with the last key
/// there, and the depth below them in values that the visitor skips.
#[derive(Debug, Default)]
pub(crate) struct Path<P, K> {
    known: [PathStep<P, K>; MAX_KNOWN],
    len: usize,
    skipped: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct PathStep<P, K> {
    place: P,
    key: K,
    /// One bit for each key that was seen in this object.
    seen: u64,
}

impl<P: Copy, K: Copy + Default> Path<P, K> {
    /// Returns the innermost known place; `None` outside the root.
    pub fn place(&self) -> Option<P> {
        self.step().map(|step| step.place)
    }

    /// Returns the key of the next value; the default in an array.
    pub fn key(&self) -> K {
        self.step().map_or_else(K::default, |step| step.key)
    }

    /// Returns whether the current value is below the innermost known place.
    pub fn is_skipping(&self) -> bool {
        self.skipped > 0
    }

    /// Enters an object or array; `None` if the visitor skips it.
    pub fn enter(&mut self, place: Option<P>) {
        match place {
            Some(place) if self.skipped == 0 && self.len < MAX_KNOWN => {
                self.known[self.len] = PathStep { place, key: K::default(), seen: 0 };
                self.len += 1;
            }
            _ => self.skipped += 1,
        }
    }

    /// Leaves an object or array, and returns the known place that was left.
    pub fn leave(&mut self) -> Option<P> {
        if self.skipped > 0 {
            self.skipped -= 1;
            return None;
        }
        self.len = self.len.checked_sub(1)?;
        Some(self.known[self.len].place)
    }

    /// Records the key of the next value under this bit, and returns whether the bit is new in
    /// this object.
    pub fn set_key(&mut self, key: K, bit: u32) -> bool {
        let Some(step) = self.len.checked_sub(1).and_then(|last| self.known.get_mut(last)) else {
            return true;
        };
        step.key = key;
        let mask = 1_u64.checked_shl(bit).unwrap_or(0);
        let is_new = step.seen & mask == 0;
        step.seen |= mask;
        is_new
    }

    fn step(&self) -> Option<&PathStep<P, K>> {
        self.known.get(self.len.checked_sub(1)?)
    }
}
