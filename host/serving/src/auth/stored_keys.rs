//! Keys that operators create while the gateway serves.
//!
//! Requests read an immutable set, which each change replaces once it is durable: no request waits for a change, and
//! the first one after it sees it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};
use pointsman_config::{Config, EntryProblem, InvalidConfig, Key};
use pointsman_domain::ids::KeyName;
use pointsman_state::{ClientKeyError, ClientKeyStore, DurableError, StoredKey};

use super::AuthError;

/// File in the state directory.
const FILE: &str = "keys.redb";
/// Most keys that are stored.
pub const MAX_STORED_KEYS: usize = 10_000;

/// The stored keys in force, with their file. Without a state directory there are none.
#[derive(Default)]
pub struct StoredKeys {
    in_force: ArcSwap<KeySet>,
    store: Option<Mutex<ClientKeyStore>>,
}

/// Keys at one time.
#[derive(Clone, Default)]
pub(super) struct KeySet {
    by_name: BTreeMap<KeyName, Arc<KeyEntry>>,
    by_hash: HashMap<[u8; 32], Arc<KeyEntry>>,
    /// True if there was ever a key, although it may be deleted.
    pub(super) were_created: bool,
}

/// A key as it is stored, and as requests have it.
struct KeyEntry {
    stored: StoredKey,
    key: Arc<Key>,
}

impl StoredKeys {
    /// Opens the keys in a state directory, which has to be locked by this process.
    ///
    /// # Errors
    /// Fails if the file of the keys cannot be read. The gateway must not serve then: it would refuse clients with
    /// a key, or serve those without one.
    pub fn open(directory: Option<&Path>) -> Result<Self, ClientKeyError> {
        let Some(directory) = directory else { return Ok(Self::default()) };
        let (store, content) = ClientKeyStore::open(&directory.join(FILE))?;
        let mut set = KeySet { were_created: content.created > 0, ..KeySet::default() };
        content.keys.into_iter().for_each(|key| set.insert(key));
        Ok(Self { in_force: ArcSwap::from_pointee(set), store: Some(Mutex::new(store)) })
    }

    /// Returns whether keys can be stored.
    pub fn can_store(&self) -> bool {
        self.store.is_some()
    }

    /// Returns whether there was ever a key, although it may be deleted.
    pub fn were_created(&self) -> bool {
        self.in_force.load().were_created
    }

    /// Returns the number of keys.
    pub fn count(&self) -> usize {
        self.in_force.load().by_name.len()
    }

    /// Returns the key of a name.
    pub fn get(&self, name: &str) -> Option<StoredKey> {
        self.in_force.load().by_name.get(name).map(|entry| entry.stored.clone())
    }

    /// Returns all keys, sorted by name.
    pub fn all(&self) -> Vec<StoredKey> {
        self.in_force.load().by_name.values().map(|entry| entry.stored.clone()).collect()
    }

    /// Returns the keys in force now.
    pub(super) fn current(&self) -> Guard<Arc<KeySet>> {
        self.in_force.load()
    }

    /// Stores a key in place of the one of its name, if there is one, then puts it in force. May block. Callers
    /// serialise changes.
    ///
    /// # Errors
    /// Fails if the key cannot be stored, or there is no state directory; the keys in force are the same then.
    pub(crate) fn put(&self, key: StoredKey) -> Result<(), ClientKeyError> {
        let mut set = KeySet::clone(&self.in_force.load());
        let is_new = !set.by_name.contains_key(key.name.as_str());
        self.change(|store| store.put(&key, is_new))?;
        set.remove(&key.name);
        set.insert(key);
        set.were_created = true;
        self.in_force.store(Arc::new(set));
        Ok(())
    }

    /// Removes a key from the file, then from those in force. May block. Callers serialise changes.
    ///
    /// # Errors
    /// Fails if the file cannot be written; the keys in force are the same then.
    pub(crate) fn remove(&self, name: &str) -> Result<(), ClientKeyError> {
        let mut set = KeySet::clone(&self.in_force.load());
        self.change(|store| store.remove(name))?;
        set.remove(name);
        self.in_force.store(Arc::new(set));
        Ok(())
    }

    /// Checks that a configuration has neither the name nor the hash of a stored key: records could not
    /// distinguish the two, or a client would have the permissions of another.
    ///
    /// # Errors
    /// Fails with the places of the keys in the configuration.
    pub fn check_names(&self, config: &Config) -> Result<(), InvalidConfig> {
        let set = self.in_force.load();
        let problem = |key: &Key| {
            let (stored, message) = match set.by_name.get(key.name.as_str()) {
                Some(stored) => (stored, format!("there is a stored key `{}` too", key.name)),
                None => {
                    let stored = set.by_hash.get(&key.sha256)?;
                    (
                        stored,
                        format!("key `{}` is the same as the stored key `{}`", key.name, stored.key.name),
                    )
                }
            };
            let hint = format!(
                "the stored one is in {FILE} of `state.dir`: give this one another name and value, or delete \
                 the stored one with `pointsman key delete {}`",
                stored.key.name
            );
            Some(EntryProblem {
                entry: vec!["keys".to_owned(), key.name.to_string()],
                keys: &[],
                instead: None,
                message,
                hint: Some(hint),
            })
        };
        let problems: Vec<EntryProblem> = config.keys.iter().filter_map(problem).collect();
        config.text.locate(&problems).map_or(Ok(()), Err)
    }

    fn change(
        &self,
        change: impl FnOnce(&mut ClientKeyStore) -> Result<(), ClientKeyError>,
    ) -> Result<(), ClientKeyError> {
        let Some(store) = &self.store else {
            return Err(
                DurableError(format!("cannot write {FILE}: the configuration has no `state.dir`")).into()
            );
        };
        change(&mut store.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl KeySet {
    /// Returns the key with a hash, if it is accepted now. `now` returns the time in seconds since 1970.
    pub(super) fn authenticate(
        &self,
        hash: &[u8; 32],
        now: impl FnOnce() -> u64,
    ) -> Result<Arc<Key>, AuthError> {
        let entry = self.by_hash.get(hash).ok_or(AuthError::UnknownKey)?;
        entry.check(hash, now)?;
        Ok(Arc::clone(&entry.key))
    }

    fn insert(&mut self, stored: StoredKey) {
        let allowed = stored.routes.as_ref().map(|routes| routes.iter().collect());
        let name = KeyName::new(stored.name.as_str());
        let key = Arc::new(Key { name: name.clone(), sha256: stored.sha256, allowed });
        let entry = Arc::new(KeyEntry { stored, key });
        if let Some(previous) = entry.stored.previous {
            self.by_hash.insert(previous.sha256, Arc::clone(&entry));
        }
        self.by_hash.insert(entry.stored.sha256, Arc::clone(&entry));
        self.by_name.insert(name, entry);
    }

    fn remove(&mut self, name: &str) {
        let Some(entry) = self.by_name.remove(name) else { return };
        self.by_hash.remove(&entry.stored.sha256);
        if let Some(previous) = entry.stored.previous {
            self.by_hash.remove(&previous.sha256);
        }
    }
}

impl KeyEntry {
    /// Checks that the key is accepted by a hash that it has or had.
    fn check(&self, hash: &[u8; 32], now: impl FnOnce() -> u64) -> Result<(), AuthError> {
        let StoredKey { sha256, previous, expires, disabled, .. } = &self.stored;
        let name = || self.key.name.clone();
        let grace_end = previous.filter(|_| hash != sha256).map(|previous| previous.until);
        if *disabled {
            return Err(AuthError::Disabled(name()));
        }
        if grace_end.is_none() && expires.is_none() {
            return Ok(());
        }
        let now = now();
        match (grace_end, *expires) {
            (_, Some(at)) if at <= now => Err(AuthError::Expired { name: name(), at }),
            (Some(at), _) if at <= now => Err(AuthError::Replaced { name: name(), at }),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for StoredKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} stored keys", self.count())
    }
}

#[cfg(test)]
mod tests;
