//! Prompt cache of a model: the blocks of tokens that prompts began with.

use std::collections::{BTreeMap, HashMap};

/// Blocks that were used most recently, up to a number. A block's hash covers all blocks before it, so
/// equal hashes stand for equal prompts up to that block.
#[derive(Debug, Default)]
pub(super) struct PrefixCache {
    capacity: usize,
    /// Time of the last use of each block.
    used: HashMap<u64, u64>,
    /// Blocks by the time of their last use.
    by_use: BTreeMap<u64, u64>,
    clock: u64,
}

impl PrefixCache {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, ..Self::default() }
    }

    /// Returns the number of blocks, from the first on, that the cache has, and stores all of them.
    pub(super) fn look_up(&mut self, blocks: &[u64]) -> usize {
        if self.capacity == 0 {
            return 0;
        }
        let known = blocks.iter().take_while(|block| self.used.contains_key(*block)).count();
        // The last block first: without the blocks before it, a block is of no use, so those are evicted
        // later.
        for block in blocks.iter().take(self.capacity).rev() {
            self.touch(*block);
        }
        while self.used.len() > self.capacity {
            let Some((_, block)) = self.by_use.pop_first() else { break };
            self.used.remove(&block);
        }
        known
    }

    fn touch(&mut self, block: u64) {
        self.clock += 1;
        if let Some(before) = self.used.insert(block, self.clock) {
            self.by_use.remove(&before);
        }
        self.by_use.insert(self.clock, block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_known_prefix_is_found() {
        let mut cache = PrefixCache::new(8);
        assert_eq!(cache.look_up(&[1, 2, 3]), 0);
        assert_eq!(cache.look_up(&[1, 2, 4, 3]), 2);
        assert_eq!(cache.look_up(&[5, 2]), 0);
        assert_eq!(PrefixCache::new(0).look_up(&[1]), 0);
    }

    #[test]
    fn blocks_that_were_used_long_ago_leave_first_and_ends_of_prompts_before_their_beginnings() {
        let mut cache = PrefixCache::new(4);
        cache.look_up(&[1, 2]);
        cache.look_up(&[3, 4]);
        cache.look_up(&[5]);
        assert_eq!(cache.used.len(), 4);
        assert!(cache.used.contains_key(&1) && !cache.used.contains_key(&2));
        assert_eq!(cache.look_up(&[1, 2]), 1);
        assert_eq!(cache.look_up(&(0..100).collect::<Vec<_>>()), 0);
        assert_eq!((cache.used.len(), cache.by_use.len()), (4, 4));
    }
}
