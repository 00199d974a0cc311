//! The state of one policy, in memory.

use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use pointsman_domain::ids::PolicyName;

use crate::durable::{StoredChange, StoredEntry};
use crate::entry::{StateEntry, WriteError, check_key, check_value, now_ms};
use crate::limits::{MAX_BYTES, MAX_KEYS, MAX_LISTED, MAX_LISTED_BYTES};
use crate::overlay::{Change, Changes, Overlay};
use crate::signal::WriteSignal;

/// The state of one policy, shared by its versions and instances.
#[derive(Debug)]
pub struct PolicyState {
    policy: PolicyName,
    entries: Mutex<Entries>,
    /// Signal to the thread that stores changes; `None` for a state in memory alone.
    signal: Option<Arc<WriteSignal>>,
    rejected_writes: AtomicU64,
}

/// Entries with their size, and the changes that are not stored yet.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    by_key: BTreeMap<Box<str>, StateEntry>,
    bytes: usize,
    /// True if changes are stored.
    is_durable: bool,
    unstored: HashSet<Box<str>>,
}

/// Size of a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateSize {
    /// Number of keys, expired ones included until they are removed.
    pub keys: usize,
    /// Bytes of keys and values.
    pub bytes: usize,
    /// Changed keys that are not stored yet.
    pub unstored: usize,
    /// Rejected writes since the start.
    pub rejected_writes: u64,
}

impl PolicyState {
    pub(crate) fn new(
        policy: PolicyName,
        stored: impl IntoIterator<Item = StoredEntry>,
        signal: Option<Arc<WriteSignal>>,
    ) -> Self {
        let mut entries = Entries { is_durable: signal.is_some(), ..Entries::default() };
        for StoredEntry { key, entry } in stored {
            entries.bytes += entry.size(&key);
            entries.by_key.insert(key, entry);
        }
        entries.remove_expired(now_ms());
        Self { policy, entries: Mutex::new(entries), signal, rejected_writes: AtomicU64::new(0) }
    }

    /// Returns the policy.
    pub const fn policy(&self) -> &PolicyName {
        &self.policy
    }

    /// Returns the size of the state.
    pub fn size(&self) -> StateSize {
        let entries = self.lock();
        StateSize {
            keys: entries.by_key.len(),
            bytes: entries.bytes,
            unstored: entries.unstored.len(),
            rejected_writes: self.rejected_writes.load(Ordering::Relaxed),
        }
    }

    /// Returns the entries whose keys begin with a prefix, in the order of their keys, from the first
    /// one after `after`: at most `limit`, and never more than the bounds of one list.
    pub fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<(Box<str>, StateEntry)> {
        self.list_with(None, prefix, after, limit, now_ms())
    }

    /// Replaces all entries by values that do not expire.
    ///
    /// # Errors
    /// Fails if a value exceeds a bound. Those before it are set then, and nothing else.
    pub fn replace<'a>(&self, values: impl IntoIterator<Item = (&'a str, Bytes)>) -> Result<(), WriteError> {
        let keys: Vec<Box<str>> = self.lock().by_key.keys().cloned().collect();
        keys.iter().for_each(|key| self.delete(key));
        values.into_iter().try_for_each(|(key, value)| self.set(key, value, None, now_ms()))
    }

    /// Returns the value of a key.
    pub fn value(&self, key: &str) -> Option<Bytes> {
        self.get(key, now_ms()).map(|entry| entry.value)
    }

    /// Applies the changes of an overlay, which is empty afterwards. Returns the number of changes that
    /// the state had no room for, which are dropped.
    pub fn merge(&self, overlay: &Overlay) -> usize {
        let now_ms = now_ms();
        let merged = overlay.take().into_iter().map(|(key, change)| match change {
            Change::Set(entry) => self.put(&key, entry, now_ms),
            Change::Delete => {
                self.delete(&key);
                Ok(())
            }
            Change::Add { amount, expires_ms } => self.add(&key, amount, expires_ms, now_ms).map(drop),
        });
        merged.filter(Result::is_err).count()
    }

    pub(crate) fn get(&self, key: &str, now_ms: u64) -> Option<StateEntry> {
        self.lock().by_key.get(key)?.unexpired(now_ms).cloned()
    }

    pub(crate) fn set(
        &self,
        key: &str,
        value: Bytes,
        time_to_live: Option<Duration>,
        now_ms: u64,
    ) -> Result<(), WriteError> {
        check_key(key)?;
        check_value(&value)?;
        self.put(key, StateEntry::new(value, time_to_live, now_ms), now_ms)
    }

    pub(crate) fn delete(&self, key: &str) {
        let mut entries = self.lock();
        if entries.remove(key) {
            self.mark(&mut entries, key);
        }
    }

    /// Adds to a counter, and returns the sum. A key without an entry counts as zero, and expires at
    /// `expires_ms`; that of a counter stays.
    pub(crate) fn add(
        &self,
        key: &str,
        amount: i64,
        expires_ms: Option<u64>,
        now_ms: u64,
    ) -> Result<i64, WriteError> {
        check_key(key)?;
        let mut entries = self.lock();
        let before = entries.by_key.get(key).and_then(|entry| entry.unexpired(now_ms));
        let (entry, sum) = match before {
            Some(entry) => entry.plus(amount)?,
            None => (StateEntry::counter(amount, expires_ms), amount),
        };
        entries.insert(key, entry, now_ms)?;
        self.mark(&mut entries, key);
        Ok(sum)
    }

    /// Returns the entries of a list as a reader sees them through changes.
    pub(crate) fn list_with(
        &self,
        changes: Option<&Changes>,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        now_ms: u64,
    ) -> Vec<(Box<str>, StateEntry)> {
        let limit = limit.min(MAX_LISTED);
        let from = match after.filter(|after| *after >= prefix) {
            Some(after) => Bound::Excluded(after),
            None => Bound::Included(prefix),
        };
        let entries = self.lock();
        let mut own = entries.after(from).take_while(|(key, _)| key.starts_with(prefix)).peekable();
        let mut changed = changes
            .into_iter()
            .flat_map(|changes| changes.after(from))
            .take_while(|(key, _)| key.starts_with(prefix))
            .peekable();
        let (mut listed, mut bytes) = (Vec::new(), 0_usize);
        loop {
            // The next key of either side, and what both say about it.
            let key = match (own.peek(), changed.peek()) {
                (Some((own, _)), Some((changed, _))) => *own.min(changed),
                (Some((key, _)), None) | (None, Some((key, _))) => *key,
                (None, None) => return listed,
            };
            let base = own.next_if(|(own, _)| *own == key).and_then(|(_, entry)| entry.unexpired(now_ms));
            let change = changed.next_if(|(changed, _)| *changed == key);
            let entry = match change {
                Some((_, change)) => change.over(base, now_ms),
                None => base.cloned(),
            };
            let Some(entry) = entry else { continue };
            bytes += entry.size(key);
            if listed.len() == limit || (bytes > MAX_LISTED_BYTES && !listed.is_empty()) {
                return listed;
            }
            listed.push((key.into(), entry));
        }
    }

    pub(crate) fn record_rejected_write(&self) {
        self.rejected_writes.fetch_add(1, Ordering::Relaxed);
    }

    /// Removes the changes that are not stored yet, and returns them.
    pub(crate) fn take_unstored(&self, now_ms: u64) -> Vec<StoredChange> {
        let mut entries = self.lock();
        let keys = std::mem::take(&mut entries.unstored);
        let change = |key: Box<str>| {
            let entry = entries.by_key.get(&key).and_then(|entry| entry.unexpired(now_ms)).cloned();
            StoredChange { policy: self.policy.clone(), key, entry }
        };
        keys.into_iter().map(change).collect()
    }

    /// Marks a change again that could not be stored.
    pub(crate) fn mark_unstored(&self, key: Box<str>) {
        self.lock().unstored.insert(key);
    }

    fn put(&self, key: &str, entry: StateEntry, now_ms: u64) -> Result<(), WriteError> {
        let mut entries = self.lock();
        entries.insert(key, entry, now_ms)?;
        self.mark(&mut entries, key);
        Ok(())
    }

    fn mark(&self, entries: &mut Entries, key: &str) {
        if let Some(signal) = &self.signal {
            entries.unstored.insert(key.into());
            signal.notify();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn after<'a>(&'a self, from: Bound<&'a str>) -> impl Iterator<Item = (&'a str, &'a StateEntry)> {
        self.by_key.range::<str, _>((from, Bound::Unbounded)).map(|(key, entry)| (&**key, entry))
    }

    fn insert(&mut self, key: &str, entry: StateEntry, now_ms: u64) -> Result<(), WriteError> {
        if !self.has_room(key, &entry) {
            self.remove_expired(now_ms);
            if !self.has_room(key, &entry) {
                return Err(WriteError::Full);
            }
        }
        self.remove(key);
        self.bytes += entry.size(key);
        self.by_key.insert(key.into(), entry);
        Ok(())
    }

    fn has_room(&self, key: &str, entry: &StateEntry) -> bool {
        let replaced = self.by_key.get(key);
        let keys = self.by_key.len() + usize::from(replaced.is_none());
        let bytes = self.bytes - replaced.map_or(0, |replaced| replaced.size(key)) + entry.size(key);
        keys <= MAX_KEYS && bytes <= MAX_BYTES
    }

    fn remove(&mut self, key: &str) -> bool {
        let Some(entry) = self.by_key.remove(key) else { return false };
        self.bytes -= entry.size(key);
        true
    }

    fn remove_expired(&mut self, now_ms: u64) {
        let Self { by_key, bytes, is_durable, unstored } = self;
        by_key.retain(|key, entry| {
            let is_kept = entry.unexpired(now_ms).is_some();
            if !is_kept {
                *bytes -= entry.size(key);
                if *is_durable {
                    unstored.insert(key.clone());
                }
            }
            is_kept
        });
    }
}

#[cfg(test)]
mod tests;
