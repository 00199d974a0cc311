//! History of usage: sums by route, model and key over steps of five minutes.
//!
//! The gateway's sums since its start are collected once a minute, and what they have grown by is added
//! to a step in memory, and from there to the file. Additions may be made at any time and in any order,
//! so a restart within a step, a clock that is set and a disk that is full for hours lose nothing and
//! count nothing twice.

mod encoding;
mod file;
#[cfg(test)]
mod sample;
mod step;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pointsman_domain::usage_totals::{UsageSubject, UsageTotals};

use crate::durable::DurableError;
use crate::signal::WriteSignal;
use crate::writer::lock;
use encoding::{decode, encode};
use file::{Batch, HistoryFile, StepStorage};
pub use step::UsageStep;

/// Length of a step in seconds.
pub const HISTORY_STEP: u64 = 300;
/// Most steps in a file: 14 days without a gap.
pub const MAX_HISTORY_STEPS: usize = 14 * 24 * 12;
/// Most steps in memory, stored or not: a day without a gap.
const MAX_STEPS_IN_MEMORY: usize = 24 * 12;
/// Longest time between two collections, in seconds, after which usage still belongs to the step of the
/// first one. The machine slept through a longer one, or its clock was set.
const MAX_INTERVAL: u64 = 120;

/// Encoded steps by start, in seconds since 1970.
type EncodedSteps = BTreeMap<u64, Vec<u8>>;

/// History of usage, in a file or in memory. Clones share it.
#[derive(Clone, Debug)]
pub struct UsageHistory(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    data: Mutex<HistoryData>,
    /// Copy of the status, which can be read while the file is read or written.
    status: Mutex<HistoryStatus>,
    signal: WriteSignal,
}

#[derive(Debug)]
struct HistoryData {
    file: Option<Box<dyn StepStorage>>,
    /// Steps to add to the file; without a file, all steps.
    recent: EncodedSteps,
    /// Steps whose storage has failed. They are stored before others.
    failed: Option<Batch>,
    /// Sums at the last collection.
    collected: HashMap<UsageSubject, UsageTotals>,
    collected_at: u64,
    /// Starts of steps that were found damaged.
    damaged: BTreeSet<u64>,
    status: HistoryStatus,
}

/// Condition of the history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryStatus {
    /// True if it is in a file, and survives a restart.
    pub is_durable: bool,
    /// Reason why the file is not used, if it cannot be.
    pub error: Option<String>,
    /// Steps that are not stored yet, the running one included; 0 for a history in memory.
    pub unstored_steps: usize,
    /// Failed attempts to store steps, since the start.
    pub failures: u64,
    /// Steps that were dropped because they could not be stored for a day, since the start.
    pub lost_steps: u64,
    /// Steps that were found damaged, since the start.
    pub unreadable_steps: u64,
}

impl UsageHistory {
    /// Creates a history in memory, which has the last day and ends with the process.
    pub fn in_memory(now: u64) -> Self {
        Self::new(None, HistoryStatus::default(), now)
    }

    /// Opens the history in a file, and creates it if it does not exist. A file that cannot be used is
    /// left as it is, and the history is in memory: the gateway has to serve without it.
    /// [`status`](Self::status) has the reason.
    pub fn open(path: &Path, now: u64) -> Self {
        match HistoryFile::open(path) {
            Ok(file) => {
                let status = HistoryStatus { is_durable: true, ..HistoryStatus::default() };
                Self::new(Some(Box::new(file)), status, now)
            }
            Err(DurableError(error)) => {
                Self::new(None, HistoryStatus { error: Some(error), ..HistoryStatus::default() }, now)
            }
        }
    }

    fn new(file: Option<Box<dyn StepStorage>>, status: HistoryStatus, now: u64) -> Self {
        let data = HistoryData {
            file,
            recent: EncodedSteps::new(),
            failed: None,
            collected: HashMap::new(),
            collected_at: now,
            damaged: BTreeSet::new(),
            status,
        };
        let status = Mutex::new(data.status.clone());
        Self(Arc::new(Inner { data: Mutex::new(data), status, signal: WriteSignal::default() }))
    }

    /// Adds what sums have grown by since the last collection to the running step. `sums` returns sums
    /// since the start, which never shrink; `now` is in seconds since 1970.
    ///
    /// # Errors
    /// Fails if there is no memory to encode a step. The next collection has everything then.
    pub fn collect(
        &self,
        sums: impl FnOnce() -> HashMap<UsageSubject, UsageTotals>,
        now: u64,
    ) -> Result<(), DurableError> {
        // The sums are read while the lock is held, so that no other collection has later ones.
        let mut data = lock(&self.0.data);
        let sums = sums();
        let result = data.collect(sums, now);
        self.publish_status(&data);
        result.map_err(|error| DurableError(format!("cannot encode the history of usage: {error}")))
    }

    /// Stores the collected steps. May block.
    ///
    /// # Errors
    /// Fails if the file cannot be written. The steps stay in memory for the next call, at most those of
    /// a day.
    pub fn store(&self, now: u64) -> Result<(), DurableError> {
        let mut data = lock(&self.0.data);
        let result = data.store(now);
        data.status.failures += u64::from(result.is_err());
        self.publish_status(&data);
        result
    }

    /// Passes each step from `from` on and before `to`, in seconds since 1970, to a function. A step may
    /// be passed in several parts. Returns the start of the oldest step. May block.
    ///
    /// # Errors
    /// Fails if the file cannot be read.
    pub fn read(
        &self,
        from: u64,
        to: u64,
        mut visit: impl FnMut(u64, UsageStep),
    ) -> Result<Option<u64>, DurableError> {
        let mut data = lock(&self.0.data);
        let HistoryData { file, recent, failed, damaged, .. } = &mut *data;
        let mut visit = |at: u64, bytes: &[u8]| match decode(bytes) {
            Ok(step) => visit(at, step),
            Err(_) => drop(damaged.insert(at)),
        };
        let summary =
            file.as_mut().map(|file| file.read(from, to, &mut visit)).transpose()?.unwrap_or_default();
        // A batch may be in the file although an error was reported.
        let failed = failed.as_ref().filter(|batch| summary.last_batch != Some(batch.id));
        let failed = failed.map(|batch| &batch.steps);
        for steps in failed.into_iter().chain([&*recent]) {
            steps.range(from..to).for_each(|(at, bytes)| visit(*at, bytes));
        }
        let first = |steps: &EncodedSteps| steps.keys().next().copied();
        let oldest = [summary.oldest, failed.and_then(first), first(recent)].into_iter().flatten().min();
        self.publish_status(&data);
        Ok(oldest)
    }

    /// Returns the condition of the history after the last operation. Does not wait for a running one.
    pub fn status(&self) -> HistoryStatus {
        lock(&self.0.status).clone()
    }

    /// Waits for a time, or until the history is closed. Returns whether it is.
    pub fn wait(&self, time: Duration) -> bool {
        self.0.signal.pause(time)
    }

    /// Records that the thread that stores steps has stored the last ones.
    pub fn record_end(&self) {
        self.0.signal.record_end();
    }

    /// Wakes the thread that stores steps for a last time, and waits until it has ended. Returns false
    /// if that takes longer than `patience`.
    pub fn close(&self, patience: Duration) -> bool {
        self.0.signal.close(patience)
    }

    fn publish_status(&self, data: &HistoryData) {
        let failed = data.failed.as_ref().map_or(0, |batch| batch.steps.len());
        let unstored_steps = if data.status.is_durable { data.recent.len() + failed } else { 0 };
        let unreadable_steps = data.damaged.len() as u64;
        *lock(&self.0.status) = HistoryStatus { unstored_steps, unreadable_steps, ..data.status.clone() };
    }
}

impl HistoryData {
    fn collect(&mut self, sums: HashMap<UsageSubject, UsageTotals>, now: u64) -> std::io::Result<()> {
        let mut growth = UsageStep::default();
        for (subject, totals) in &sums {
            let grown = self.collected.get(subject).map_or(*totals, |earlier| totals.since(earlier));
            if !grown.is_empty() {
                growth.lines.insert(subject.clone(), grown);
            }
        }
        if !growth.lines.is_empty() {
            let is_short =
                now.checked_sub(self.collected_at).is_some_and(|interval| interval <= MAX_INTERVAL);
            let at = start_of_step(if is_short { self.collected_at } else { now });
            if let Some(bytes) = self.recent.get(&at) {
                growth.add(decode(bytes).unwrap_or_default());
            }
            let bytes = encode(&growth)?;
            self.recent.insert(at, bytes);
            self.drop_excess(now);
        }
        (self.collected, self.collected_at) = (sums, now);
        Ok(())
    }

    /// Deletes the steps in memory that are too many. In a history without a file that is no loss.
    fn drop_excess(&mut self, now: u64) {
        while self.recent.len() > MAX_STEPS_IN_MEMORY {
            let (first, last) = (self.recent.keys().next(), self.recent.keys().next_back());
            let (Some(first), Some(last)) = (first.copied(), last.copied()) else { return };
            self.recent.remove(&farthest(first, last, now));
            self.status.lost_steps += u64::from(self.status.is_durable);
        }
    }

    fn store(&mut self, now: u64) -> Result<(), DurableError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        loop {
            let batch = match self.failed.take() {
                Some(batch) => batch,
                None if self.recent.is_empty() => return Ok(()),
                None => {
                    Batch { id: RandomState::new().hash_one(now), steps: std::mem::take(&mut self.recent) }
                }
            };
            match file.add(&batch, now) {
                Ok(damaged) => self.damaged.extend(damaged),
                Err(error) => {
                    self.failed = Some(batch);
                    return Err(error);
                }
            }
        }
    }
}

/// Returns the start of the step that has a time.
const fn start_of_step(time: u64) -> u64 {
    time - time % HISTORY_STEP
}

/// Returns the one of two steps that is farther from a time. Steps that were written while the clock was
/// wrong may be in the future.
const fn farthest(first: u64, last: u64, now: u64) -> u64 {
    if last.saturating_sub(now) > now.saturating_sub(first) { last } else { first }
}

#[cfg(test)]
mod tests;
