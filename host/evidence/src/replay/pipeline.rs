//! Threads of a replay: one reads and decompresses, some replay, and the caller collects the results in the order of the
//! log. So a report depends neither on the number of threads nor on how a log is split into files.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Scope};

use pointsman_terminal::CommandError;

use super::log::{self, Chunk};
use super::request::{LineResult, Replayer};

/// Chunks under way for each thread, which bounds the memory.
const CHUNKS_PER_THREAD: usize = 4;

/// Results of the lines of a chunk.
#[derive(Debug)]
pub(super) struct ChunkResult {
    /// Number of the file.
    pub(super) file: usize,
    /// Lines with their numbers.
    pub(super) lines: Vec<(u64, LineResult)>,
    /// Bytes that were read from the disk for it.
    pub(super) bytes: u64,
}

/// Replays the files, and hands the results to a function in order until it returns false or the flag is set.
///
/// # Errors
/// Fails when no thread can be started.
pub(super) fn run(
    files: &[PathBuf],
    replayers: Vec<Replayer>,
    stop: &AtomicBool,
    mut collect: impl FnMut(ChunkResult) -> bool,
) -> Result<(), CommandError> {
    let under_way = CHUNKS_PER_THREAD * replayers.len().max(1);
    let (permits, permitted) = sync_channel::<()>(under_way);
    for _ in 0..under_way {
        // There is room for all.
        let _ = permits.try_send(());
    }
    let (chunks, chunk_queue) = sync_channel::<(u64, Chunk)>(under_way);
    let chunk_queue = Mutex::new(chunk_queue);
    let (results, result_queue) = sync_channel::<(u64, ChunkResult)>(under_way);
    let over = Over { interrupted: stop, ended: &AtomicBool::new(false) };
    thread::scope(|scope| {
        let queue = &chunk_queue;
        let mut started = spawn(scope, "reader", move || read(files, over, &permitted, &chunks));
        for mut replayer in replayers {
            let results = results.clone();
            let work = move || replay(&mut replayer, queue, &results, over);
            started = started.and_then(|()| spawn(scope, "replay", work));
        }
        drop(results);
        if started.is_err() {
            over.end();
        }
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for (number, result) in result_queue {
            waiting.insert(number, result);
            while let Some(result) = waiting.remove(&next) {
                next += 1;
                if !over.has_ended() && !collect(result) {
                    over.end();
                }
                // Nobody takes the permit once the reader has ended.
                let _ = permits.try_send(());
            }
        }
        // A reader without replayers would wait for ever.
        drop(permits);
        started.map_err(CommandError::run)
    })
}

fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() + Send + 'scope,
) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, work).map(drop)
}

/// Flags by which the work ends early.
#[derive(Clone, Copy)]
struct Over<'a> {
    interrupted: &'a AtomicBool,
    /// The caller wants no more results.
    ended: &'a AtomicBool,
}

impl Over<'_> {
    fn end(self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    fn has_ended(self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    fn is_over(self) -> bool {
        self.has_ended() || self.interrupted.load(Ordering::Relaxed)
    }
}

fn read(files: &[PathBuf], over: Over<'_>, permitted: &Receiver<()>, chunks: &SyncSender<(u64, Chunk)>) {
    let mut number = 0;
    log::read(files, |chunk| {
        let is_wanted = !over.is_over() && permitted.recv().is_ok();
        let is_sent = is_wanted && chunks.send((number, chunk)).is_ok();
        number += 1;
        is_sent
    });
}

fn replay(
    replayer: &mut Replayer,
    chunks: &Mutex<Receiver<(u64, Chunk)>>,
    results: &SyncSender<(u64, ChunkResult)>,
    over: Over<'_>,
) {
    loop {
        let next = chunks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, chunk)) = next else { return };
        let mut lines: Vec<(u64, LineResult)> = Vec::new();
        for (line, text) in chunk.lines() {
            if over.is_over() {
                break;
            }
            lines.push((line, replayer.line(text)));
        }
        lines.extend(chunk.errors.iter().map(|(line, error)| (*line, LineResult::Error(error.clone()))));
        let result = ChunkResult { file: chunk.file, lines, bytes: chunk.bytes };
        if results.send((number, result)).is_err() {
            return;
        }
    }
}
