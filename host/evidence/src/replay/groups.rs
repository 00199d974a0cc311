//! Sums by group, of which the largest are kept.

use std::collections::HashMap;
use std::hash::Hash;

/// A sum of requests.
pub(super) trait Sum: Default {
    /// Adds the other sum.
    fn merge(&mut self, other: Self);
    /// Returns the weight by which groups are ranked.
    fn size(&self) -> f64;
}

/// Sums by group within a bound. When there are twice as many groups as are kept, the smaller half joins the others,
/// so the counts of frequent groups are exact unless they were rare at first.
#[derive(Debug)]
pub(super) struct Groups<K, S> {
    most: usize,
    groups: HashMap<K, (u64, S)>,
    /// Number of groups so far, for an order of groups of the same size.
    seen: u64,
    others: S,
    /// Number of groups that joined the others.
    joined: u64,
}

/// Groups that are reported as one.
#[derive(Debug, PartialEq)]
pub(super) struct Others<S> {
    /// Their number.
    pub(super) groups: u64,
    pub(super) sum: S,
}

impl<K: Hash + Eq, S: Sum> Groups<K, S> {
    /// Creates sums for at most twice as many groups.
    pub(super) fn new(most: usize) -> Self {
        Self { most, groups: HashMap::new(), seen: 0, others: S::default(), joined: 0 }
    }

    /// Returns the sum of a group.
    pub(super) fn sum(&mut self, group: K) -> &mut S {
        if self.groups.len() >= 2 * self.most && !self.groups.contains_key(&group) {
            self.prune();
        }
        let seen = &mut self.seen;
        let (_, sum) = self.groups.entry(group).or_insert_with(|| {
            *seen += 1;
            (*seen, S::default())
        });
        sum
    }

    fn prune(&mut self) {
        let mut sizes: Vec<(f64, u64)> =
            self.groups.values().map(|(seen, sum)| (sum.size(), *seen)).collect();
        sizes.sort_by(|(a, first), (b, second)| b.total_cmp(a).then(first.cmp(second)));
        let Some(&(least, last)) = sizes.get(self.most.saturating_sub(1)) else { return };
        let is_small = |(seen, sum): &(u64, S)| sum.size() < least || sum.size() == least && *seen > last;
        let small = self.groups.extract_if(|_, value| is_small(value));
        let mut small: Vec<(u64, S)> = small.map(|(_, value)| value).collect();
        // Sums of floating-point numbers depend on the order.
        small.sort_by_key(|(seen, _)| *seen);
        for (_, sum) in small {
            self.others.merge(sum);
            self.joined += 1;
        }
    }

    /// Returns the largest groups, and the others.
    pub(super) fn largest(self, most: usize) -> (Vec<(K, S)>, Option<Others<S>>) {
        let Self { groups, mut others, mut joined, .. } = self;
        let mut groups: Vec<(K, (u64, S))> = groups.into_iter().collect();
        groups.sort_by(|(_, (first, a)), (_, (second, b))| {
            b.size().total_cmp(&a.size()).then(first.cmp(second))
        });
        for (_, (_, sum)) in groups.drain(most.min(groups.len())..) {
            others.merge(sum);
            joined += 1;
        }
        let groups = groups.into_iter().map(|(group, (_, sum))| (group, sum)).collect();
        (groups, (joined > 0).then_some(Others { groups: joined, sum: others }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Count(u64);

    impl Sum for Count {
        fn merge(&mut self, other: Self) {
            self.0 += other.0;
        }

        fn size(&self) -> f64 {
            self.0 as f64
        }
    }

    #[test]
    fn frequent_groups_are_kept_and_nothing_is_lost() {
        let mut groups: Groups<u32, Count> = Groups::new(10);
        for number in 0..1_000_u32 {
            groups.sum(0).0 += 1;
            groups.sum(1).0 += u64::from(number % 2 == 0);
            groups.sum(2 + number).0 += 1;
        }
        assert!(groups.groups.len() <= 20);
        let (largest, others) = groups.largest(3);
        assert_eq!(largest[..2], [(0, Count(1_000)), (1, Count(500))]);
        let sum: u64 = largest.iter().map(|(_, count)| count.0).sum();
        let others = others.unwrap();
        assert_eq!((sum + others.sum.0, others.groups), (2_500, 999));
        let mut few: Groups<&str, Count> = Groups::new(10);
        few.sum("a").0 += 1;
        assert_eq!(few.largest(5), (vec![("a", Count(1))], None));
    }
}
