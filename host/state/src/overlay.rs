//! Changes that are kept apart from the state that they change.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::entry::{StateEntry, WriteError};
use crate::limits::{MAX_BYTES, MAX_KEYS};

/// Changes of a policy on trial to its state, until they are merged or dropped. Kept in memory.
#[derive(Debug, Default)]
pub struct Overlay(Mutex<Changes>);

/// Changes by key, within the bounds of a state of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    by_key: BTreeMap<Box<str>, Change>,
    bytes: usize,
}

/// Change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Set(StateEntry),
    Delete,
    /// Addition to the number of the state below, or to nothing.
    Add {
        amount: i64,
        /// Time of expiry of a counter that is new.
        expires_ms: Option<u64>,
    },
}

impl Overlay {
    /// Drops all changes.
    pub fn clear(&self) {
        *self.lock() = Changes::default();
    }

    /// Returns the number of changed keys.
    pub fn len(&self) -> usize {
        self.lock().by_key.len()
    }

    /// Returns whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all changes, and returns them.
    pub(crate) fn take(&self) -> Changes {
        std::mem::take(&mut *self.lock())
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Changes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changes {
    /// Returns the changes in the order of their keys.
    pub(crate) fn into_iter(self) -> impl Iterator<Item = (Box<str>, Change)> {
        self.by_key.into_iter()
    }

    /// Returns the change of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Change> {
        self.by_key.get(key)
    }

    /// Returns the changes of the keys after a bound, in their order.
    pub(crate) fn after<'a>(&'a self, from: Bound<&'a str>) -> impl Iterator<Item = (&'a str, &'a Change)> {
        self.by_key.range::<str, _>((from, Bound::Unbounded)).map(|(key, change)| (&**key, change))
    }

    /// Records a change in place of an earlier one.
    pub(crate) fn put(&mut self, key: &str, change: Change) -> Result<(), WriteError> {
        let size = |change: &Change| match change {
            Change::Set(entry) => entry.size(key),
            Change::Delete | Change::Add { .. } => key.len(),
        };
        let replaced = self.by_key.get(key);
        let bytes = self.bytes - replaced.map_or(0, size) + size(&change);
        let keys = self.by_key.len() + usize::from(replaced.is_none());
        if keys > MAX_KEYS || bytes > MAX_BYTES {
            return Err(WriteError::Full);
        }
        self.bytes = bytes;
        self.by_key.insert(key.into(), change);
        Ok(())
    }
}

impl Change {
    /// Returns the entry that a reader sees, where the state below has `base`.
    pub(crate) fn over(&self, base: Option<&StateEntry>, now_ms: u64) -> Option<StateEntry> {
        match self {
            Self::Set(entry) => entry.unexpired(now_ms).cloned(),
            Self::Delete => None,
            Self::Add { amount, expires_ms } => match base {
                // An addition was accepted on a number, so what is no number came later.
                Some(entry) => Some(entry.plus(*amount).map_or_else(|_| entry.clone(), |(sum, _)| sum)),
                None => StateEntry::counter(*amount, *expires_ms).unexpired(now_ms).cloned(),
            },
        }
    }

    /// Returns the change that adds to what this change makes of `base`.
    pub(crate) fn plus(
        earlier: Option<&Self>,
        base: Option<&StateEntry>,
        amount: i64,
        expires_ms: Option<u64>,
        now_ms: u64,
    ) -> Result<(Self, i64), WriteError> {
        let visible = match earlier {
            Some(change) => change.over(base, now_ms),
            None => base.cloned(),
        };
        let (sum_entry, sum) = match &visible {
            Some(entry) => entry.plus(amount)?,
            None => (StateEntry::counter(amount, expires_ms), amount),
        };
        let change = match earlier {
            None => Self::Add { amount, expires_ms },
            Some(Self::Add { amount: before, expires_ms }) if visible.is_some() => {
                Self::Add { amount: before.saturating_add(amount), expires_ms: *expires_ms }
            }
            Some(_) => Self::Set(sum_entry),
        };
        Ok((change, sum))
    }
}
