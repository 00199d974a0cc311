//! Steps in a file.

use std::io;
use std::path::Path;

use redb::{
    Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition, TableError,
    TableHandle,
};

use super::encoding::{decode, encode};
use super::{EncodedSteps, MAX_HISTORY_STEPS, farthest};
use crate::database::DatabaseFile;
use crate::durable::DurableError;

/// Version of the tables and of the encoding of steps, and the batch that was stored last.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("usage-history");
/// Number of parts of each step, by its start in seconds since 1970.
const STEPS: TableDefinition<'_, u64, u8> = TableDefinition::new("usage-history-steps");
/// Parts of steps, by start and number.
const PARTS: TableDefinition<'_, (u64, u8), &[u8]> = TableDefinition::new("usage-history-parts");

const FORMAT: &str = "format";
const LAST_BATCH: &str = "last-batch";
/// Format that this version reads and writes.
const CURRENT_FORMAT: u64 = 1;

/// Most bytes of a part. The database has pages of 4 KiB, and gives a longer value a power of two of them.
pub(super) const MAX_PART_BYTES: usize = 4_040;

/// Steps in one file, at most [`MAX_HISTORY_STEPS`].
#[derive(Debug)]
pub(super) struct HistoryFile(DatabaseFile);

/// Storage of steps.
pub(super) trait StepStorage: std::fmt::Debug + Send {
    /// Adds a batch to the stored steps, unless it was stored already, and deletes the steps that are
    /// too many: those farthest from `now`, which are the oldest if the clock is right. Returns the
    /// number of stored steps that were replaced because they could not be read.
    fn add(&mut self, batch: &Batch, now: u64) -> Result<Vec<u64>, DurableError>;

    /// Passes the bytes of each step from `from` on and before `to` to a function, in ascending order.
    fn read(
        &mut self,
        from: u64,
        to: u64,
        visit: &mut dyn FnMut(u64, &[u8]),
    ) -> Result<FileSummary, DurableError>;
}

/// Steps that are stored in one transaction.
#[derive(Debug)]
pub(super) struct Batch {
    /// Number without a pattern. It shows whether a batch was stored whose storage was reported as failed.
    pub id: u64,
    /// Steps to add to those in the file.
    pub steps: EncodedSteps,
}

/// Content of the file that does not depend on the steps that are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FileSummary {
    /// Batch that was stored last.
    pub last_batch: Option<u64>,
    /// Start of the oldest step.
    pub oldest: Option<u64>,
}

impl HistoryFile {
    /// Opens the file, reads all of it to find damage, and creates it if it does not exist.
    pub fn open(path: &Path) -> Result<Self, DurableError> {
        let mut file = Self(DatabaseFile::open_verified(path)?);
        match file.0.run("read", format_of)? {
            FileFormat::Known(CURRENT_FORMAT) | FileFormat::New => Ok(file),
            FileFormat::Known(newer) => Err(file.0.error(
                "open",
                &format!(
                    "it has format {newer} of another version of Pointsman, and this one reads format \
                     {CURRENT_FORMAT}"
                ),
            )),
            FileFormat::Foreign => Err(file.0.error("open", "it is a database of another kind")),
        }
    }
}

impl StepStorage for HistoryFile {
    fn add(&mut self, batch: &Batch, now: u64) -> Result<Vec<u64>, DurableError> {
        self.0.run("write", |database| add(database, batch, now))
    }

    fn read(
        &mut self,
        from: u64,
        to: u64,
        visit: &mut dyn FnMut(u64, &[u8]),
    ) -> Result<FileSummary, DurableError> {
        self.0.run("read", |database| {
            let transaction = database.begin_read()?;
            let parts = match transaction.open_table(PARTS) {
                Err(TableError::TableDoesNotExist(_)) => return Ok(FileSummary::default()),
                parts => parts?,
            };
            let mut step = (0, Vec::new());
            for item in parts.range((from, 0)..(to, 0))? {
                let (key, part) = item?;
                let (at, number) = key.value();
                if number == 0 {
                    if !step.1.is_empty() {
                        visit(step.0, &step.1);
                    }
                    step = (at, Vec::new());
                }
                step.1.extend(part.value());
            }
            if !step.1.is_empty() {
                visit(step.0, &step.1);
            }
            let last_batch = transaction.open_table(META)?.get(LAST_BATCH)?.map(|batch| batch.value());
            let oldest = transaction.open_table(STEPS)?.first()?.map(|(at, _)| at.value());
            Ok(FileSummary { last_batch, oldest })
        })
    }
}

/// Format of a database.
enum FileFormat {
    /// Empty.
    New,
    /// Of history, in this version.
    Known(u64),
    /// Not of history.
    Foreign,
}

fn format_of(database: &Database) -> Result<FileFormat, redb::Error> {
    let transaction = database.begin_read()?;
    let names: Vec<String> = transaction.list_tables()?.map(|table| table.name().to_owned()).collect();
    if names.is_empty() {
        return Ok(FileFormat::New);
    }
    let format = match transaction.open_table(META) {
        Err(TableError::TableDoesNotExist(_) | TableError::TableTypeMismatch { .. }) => None,
        meta => meta?.get(FORMAT)?.map(|format| format.value()),
    };
    Ok(format.map_or(FileFormat::Foreign, FileFormat::Known))
}

fn add(database: &Database, batch: &Batch, now: u64) -> Result<Vec<u64>, redb::Error> {
    let transaction = database.begin_write()?;
    let mut damaged = Vec::new();
    {
        let mut meta = transaction.open_table(META)?;
        if meta.get(LAST_BATCH)?.is_some_and(|last| last.value() == batch.id) {
            return Ok(damaged);
        }
        meta.insert(FORMAT, CURRENT_FORMAT)?;
        meta.insert(LAST_BATCH, batch.id)?;
        let mut steps = transaction.open_table(STEPS)?;
        let mut parts = transaction.open_table(PARTS)?;
        for (at, bytes) in &batch.steps {
            let stored = stored(&steps, &parts, *at)?;
            let is_readable = stored.as_deref().is_none_or(|stored| decode(stored).is_ok());
            damaged.extend((!is_readable).then_some(*at));
            let joined = match stored.filter(|_| is_readable) {
                Some(stored) => join(&stored, bytes)?,
                None => bytes.clone(),
            };
            delete(&mut steps, &mut parts, *at)?;
            let mut number = 0;
            for part in joined.chunks(MAX_PART_BYTES) {
                parts.insert((*at, number), part)?;
                number += 1;
            }
            steps.insert(*at, number)?;
        }
        while steps.len()? > MAX_HISTORY_STEPS as u64 {
            let first = steps.first()?.map(|(at, _)| at.value());
            let last = steps.last()?.map(|(at, _)| at.value());
            let (Some(first), Some(last)) = (first, last) else { break };
            delete(&mut steps, &mut parts, farthest(first, last, now))?;
        }
    }
    transaction.commit()?;
    Ok(damaged)
}

/// Returns the bytes of a stored step.
fn stored(
    steps: &impl ReadableTable<u64, u8>,
    parts: &impl ReadableTable<(u64, u8), &'static [u8]>,
    at: u64,
) -> Result<Option<Vec<u8>>, redb::Error> {
    let Some(number) = steps.get(at)?.map(|number| number.value()) else { return Ok(None) };
    let mut bytes = Vec::new();
    for part in 0..number {
        if let Some(part) = parts.get((at, part))? {
            bytes.extend(part.value());
        }
    }
    Ok(Some(bytes))
}

fn delete(
    steps: &mut redb::Table<'_, u64, u8>,
    parts: &mut redb::Table<'_, (u64, u8), &'static [u8]>,
    at: u64,
) -> Result<(), redb::Error> {
    let number = steps.remove(at)?.map_or(0, |number| number.value());
    for part in 0..number {
        parts.remove((at, part))?;
    }
    Ok(())
}

/// Returns the bytes of a step with the sums of two.
fn join(stored: &[u8], more: &[u8]) -> Result<Vec<u8>, redb::Error> {
    let read = |bytes| decode(bytes).map_err(|_| io::Error::other("a step cannot be read"));
    let mut step = read(stored)?;
    step.add(read(more)?);
    Ok(encode(&step)?)
}

#[cfg(test)]
mod tests;
