//! API keys of clients, which operators create while the gateway serves.
//!
//! Each change is durable before the call returns. Of a key only its hash is stored: keys have 256 random bits,
//! so that the hash cannot be reversed by guessing.

mod record;

use std::fs::File;
use std::path::{Path, PathBuf};

use redb::{ReadableDatabase, ReadableTable, TableDefinition, TableError};

pub use record::UnreadableKey;

use crate::database::DatabaseFile;
use crate::durable::DurableError;

/// Records by the names of keys.
const KEYS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("client-keys-1");
/// Counts since the file was created.
const COUNTS: TableDefinition<'_, &str, u64> = TableDefinition::new("client-key-counts-1");
/// Count of keys that were ever created.
const CREATED: &str = "created";

/// A stored key of a client. Times are in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Its name.
    pub name: String,
    /// SHA-256 of the key.
    pub sha256: [u8; 32],
    /// The key before the last rotation.
    pub previous: Option<PreviousKey>,
    /// Names and patterns that the key may request; `None` for all.
    pub routes: Option<Vec<String>>,
    /// Time of its creation.
    pub created: u64,
    /// Time of the last rotation.
    pub rotated: Option<u64>,
    /// Time from which it is not accepted.
    pub expires: Option<u64>,
    /// True while it is not accepted, whatever its times are.
    pub disabled: bool,
}

/// A key that was replaced by a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreviousKey {
    /// SHA-256 of the key.
    pub sha256: [u8; 32],
    /// End of its grace period: the time from which it is not accepted.
    pub until: u64,
}

/// File of stored keys, which only one process can open.
#[derive(Debug)]
pub struct ClientKeyStore {
    path: PathBuf,
    /// The open file; `None` before the first key.
    file: Option<DatabaseFile>,
}

/// Content of the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ClientKeys {
    /// The keys, sorted by name.
    pub keys: Vec<StoredKey>,
    /// Number of keys that were ever created, including those that were deleted.
    pub created: u64,
}

/// Records of keys by name, and the number of keys that were ever created.
struct Records {
    records: Vec<(String, Vec<u8>)>,
    created: u64,
}

/// Failure to read or write stored keys.
#[derive(Debug, thiserror::Error)]
pub enum ClientKeyError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] DurableError),
    /// A key in the file cannot be read.
    #[error("cannot read the key `{name}` in {}: {reason}", .path.display())]
    Key {
        /// Name of the key.
        name: String,
        /// The file.
        path: PathBuf,
        /// The cause.
        reason: UnreadableKey,
    },
}

impl ClientKeyStore {
    /// Opens the file and reads all keys. A file that does not exist has none; the first change creates it.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or is damaged, or has a key of a later version.
    pub fn open(path: &Path) -> Result<(Self, ClientKeys), ClientKeyError> {
        let mut store = Self { path: path.to_owned(), file: None };
        let exists = path.try_exists().map_err(|error| store.error("open", &error))?;
        let content = if exists { store.read()? } else { ClientKeys::default() };
        Ok((store, content))
    }

    /// Stores a key, in place of the one of its name. `is_new` counts it as created.
    ///
    /// # Errors
    /// Fails if the file cannot be written. It has the key then or not; another attempt may succeed.
    pub fn put(&mut self, key: &StoredKey, is_new: bool) -> Result<(), ClientKeyError> {
        let record = record::encode(key).map_err(|error| self.error("write", &error))?;
        let written = self.file()?.run("write", |database| {
            let transaction = database.begin_write()?;
            transaction.open_table(KEYS)?.insert(key.name.as_str(), record.as_slice())?;
            if is_new {
                let mut counts = transaction.open_table(COUNTS)?;
                let created = counts.get(CREATED)?.map_or(0, |count| count.value());
                counts.insert(CREATED, created.saturating_add(1))?;
            }
            Ok(transaction.commit()?)
        });
        Ok(written?)
    }

    /// Removes a key.
    ///
    /// # Errors
    /// Fails if the file cannot be written. It has the key then or not; another attempt may succeed.
    pub fn remove(&mut self, name: &str) -> Result<(), ClientKeyError> {
        let removed = self.file()?.run("write", |database| {
            let transaction = database.begin_write()?;
            transaction.open_table(KEYS)?.remove(name)?;
            Ok(transaction.commit()?)
        });
        Ok(removed?)
    }

    fn read(&mut self) -> Result<ClientKeys, ClientKeyError> {
        let Records { records, created } = self.file()?.run("read", |database| {
            let transaction = database.begin_read()?;
            let records = match transaction.open_table(KEYS) {
                Err(TableError::TableDoesNotExist(_)) => Vec::new(),
                table => {
                    let table = table?;
                    let entries = table.iter()?.map(|entry| {
                        let (name, record) = entry?;
                        Ok::<_, redb::Error>((name.value().to_owned(), record.value().to_owned()))
                    });
                    entries.collect::<Result<_, _>>()?
                }
            };
            let created = match transaction.open_table(COUNTS) {
                Err(TableError::TableDoesNotExist(_)) => 0,
                table => table?.get(CREATED)?.map_or(0, |count| count.value()),
            };
            Ok(Records { records, created })
        })?;
        let keys = records.into_iter().map(|(name, bytes)| {
            record::decode(&name, &bytes).map_err(|reason| ClientKeyError::Key {
                name,
                path: self.path.clone(),
                reason,
            })
        });
        Ok(ClientKeys { keys: keys.collect::<Result<_, _>>()?, created })
    }

    /// Returns the open file, which is created if it does not exist. All of it is verified when it is opened: a
    /// key that was read wrongly would let nobody in, or the wrong one.
    fn file(&mut self) -> Result<&mut DatabaseFile, ClientKeyError> {
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                let file = DatabaseFile::open_verified(&self.path)?;
                // The name of a new file survives a power failure once its directory is written.
                if let Some(directory) = self.path.parent() {
                    let synced = File::open(directory).and_then(|directory| directory.sync_all());
                    synced.map_err(|error| self.error("write", &error))?;
                }
                file
            }
        };
        Ok(self.file.insert(file))
    }

    fn error(&self, action: &str, error: &dyn std::error::Error) -> DurableError {
        DurableError(format!("cannot {action} {}: {error}", self.path.display()))
    }
}

#[cfg(test)]
mod tests;
