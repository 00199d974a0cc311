//! A file of the embedded database, which is opened anew after a failure.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{Builder, Database};

use crate::durable::DurableError;

/// Bytes of pages that a database keeps in memory.
const CACHE_BYTES: usize = 1 << 20;

/// Database in one file, which only one process can open.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
    /// The open file. A database that failed once stays unusable, so it is opened anew.
    database: Option<Database>,
    is_verified: bool,
}

impl DatabaseFile {
    /// Opens the file, and creates it if it does not exist.
    pub fn open(path: &Path) -> Result<Self, DurableError> {
        Self { path: path.to_owned(), database: None, is_verified: false }.opened()
    }

    /// Opens the file as [`open`](Self::open) does, and reads all of it to find damage. Without that,
    /// damage is found, or trusted, when the page that has it is read.
    pub fn open_verified(path: &Path) -> Result<Self, DurableError> {
        Self { path: path.to_owned(), database: None, is_verified: true }.opened()
    }

    /// Runs a transaction, and closes the file if it fails. The database panics at some kinds of damage,
    /// which is a failure, too.
    pub fn run<T>(
        &mut self,
        action: &str,
        transaction: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, DurableError> {
        let result = {
            let database = self.database()?;
            catch_unwind(AssertUnwindSafe(|| transaction(database)))
        };
        let error = match result {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => self.error(action, &error.to_string()),
            Err(_) => self.error(action, "the file is damaged"),
        };
        self.database = None;
        Err(error)
    }

    /// Describes a failure with the path of the file.
    pub fn error(&self, action: &str, message: &str) -> DurableError {
        DurableError(format!("cannot {action} {}: {message}", self.path.display()))
    }

    fn opened(mut self) -> Result<Self, DurableError> {
        self.database()?;
        Ok(self)
    }

    fn database(&mut self) -> Result<&Database, DurableError> {
        let database = match self.database.take() {
            Some(database) => database,
            None => {
                let mut builder = Builder::new();
                builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(self.is_verified);
                match catch_unwind(AssertUnwindSafe(|| builder.create(&self.path))) {
                    Ok(opened) => opened.map_err(|error| self.error("open", &error.to_string()))?,
                    Err(_) => return Err(self.error("open", "the file is damaged")),
                }
            }
        };
        Ok(self.database.insert(database))
    }
}
