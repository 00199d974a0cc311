//! Storage in a file of this machine.

use std::path::Path;

use bytes::Bytes;
use pointsman_domain::ids::PolicyName;
use redb::{ReadableDatabase, TableDefinition, TableError};

use crate::database::DatabaseFile;
use crate::durable::{DurableError, DurableStore, StoredChange, StoredEntry};
use crate::entry::StateEntry;

/// Entries by policy and key: time of expiry in milliseconds since 1970, or 0, and value.
const ENTRIES: TableDefinition<'_, (&str, &str), (u64, &[u8])> = TableDefinition::new("policy-state-1");

/// Storage in one file, which only one process can open.
#[derive(Debug)]
pub struct EmbeddedStore(DatabaseFile);

impl EmbeddedStore {
    /// Opens the file, and creates it if it does not exist.
    ///
    /// # Errors
    /// Fails if the file cannot be opened, or is none of this format.
    pub fn open(path: &Path) -> Result<Self, DurableError> {
        Ok(Self(DatabaseFile::open(path)?))
    }
}

impl DurableStore for EmbeddedStore {
    fn load(&mut self, policy: &PolicyName) -> Result<Vec<StoredEntry>, DurableError> {
        self.0.run("read", |database| {
            let table = match database.begin_read()?.open_table(ENTRIES) {
                Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
                table => table?,
            };
            let mut entries = Vec::new();
            for item in table.range((policy.as_str(), "")..)? {
                let (key, value) = item?;
                let (name, key) = key.value();
                if name != policy.as_str() {
                    break;
                }
                let (expiry, value) = value.value();
                let entry = StateEntry {
                    value: Bytes::copy_from_slice(value),
                    expires_ms: (expiry > 0).then_some(expiry),
                };
                entries.push(StoredEntry { key: key.into(), entry });
            }
            Ok(entries)
        })
    }

    fn store(&mut self, changes: &[StoredChange]) -> Result<(), DurableError> {
        self.0.run("write", |database| {
            let transaction = database.begin_write()?;
            {
                let mut table = transaction.open_table(ENTRIES)?;
                for StoredChange { policy, key, entry } in changes {
                    let key = (policy.as_str(), &**key);
                    match entry {
                        Some(entry) => {
                            table.insert(key, (entry.expires_ms.unwrap_or(0), &*entry.value))?;
                        }
                        None => {
                            table.remove(key)?;
                        }
                    }
                }
            }
            transaction.commit()?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;
