//! Names that recur.

use std::collections::HashSet;
use std::sync::Arc;

/// Most names that are kept.
const MAX_NAMES: usize = 16_384;

/// Shares the memory of equal names.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<Arc<str>>);

impl Names {
    pub(super) fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        if self.0.len() >= MAX_NAMES {
            self.0.clear();
        }
        let name: Arc<str> = name.into();
        self.0.insert(Arc::clone(&name));
        name
    }
}

/// Returns a number for a name that is the same everywhere: FNV-1a with 64 bits.
pub(super) fn number_of(name: &str) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    name.bytes().fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_share_memory_within_a_bound() {
        let mut names = Names::default();
        assert!(Arc::ptr_eq(&names.get("a"), &names.get("a")));
        for number in 0..2 * MAX_NAMES {
            names.get(&number.to_string());
        }
        assert!(names.0.len() <= MAX_NAMES);
        // Published test vectors.
        assert_eq!((number_of(""), number_of("foobar")), (0xcbf2_9ce4_8422_2325, 0x8594_4171_f739_67e8));
    }
}
