//! Traces: spans of requests that have ended, for an OpenTelemetry collector.
//!
//! The request path hands over the history, if its trace is recorded, and never
//! waits: where there is no room it is dropped, and counted. Everything else is
//! done by the [`Exporter`], beside the requests: spans are made from histories,
//! written as OTLP and sent in batches.

mod content;
mod exporter;
mod protobuf;
mod span;
mod spans;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pointsman_domain::history::History;
use pointsman_domain::trace::SampleRatio;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

pub use content::{Exchange, Words};
pub use exporter::{Collector, Exporter, Refused};
pub use spans::{Server, Servers};

/// Requests that may wait for the exporter. A history takes some kilobytes.
const QUEUE: usize = 4_096;
/// How much of what was said may wait for the exporter, in KiB: requests hold their
/// bodies until then.
const CONTENT_KIB: usize = 64 << 10;

/// How traces are recorded.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the collector knows this service as.
    pub service: String,
    /// Tells this process from others of the same service.
    pub instance: String,
    /// Which of the traces that begin here are recorded.
    pub sample: SampleRatio,
    /// Whether spans tell what was said.
    pub content: bool,
}

/// Takes in what is to be told in spans.
#[derive(Debug)]
pub struct Traces {
    queue: mpsc::Sender<Ended>,
    settings: Arc<Settings>,
    shared: Arc<Shared>,
    content: Arc<Semaphore>,
}

/// What became of spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// The collector has them.
    pub exported: u64,
    /// They are lost: there was no room for them, or the collector did not take them.
    pub dropped: u64,
}

/// A request that has ended.
#[derive(Debug)]
struct Ended {
    history: Arc<History>,
    said: Said,
}

/// What was said in it.
#[derive(Debug)]
enum Said {
    /// Nobody wants to know.
    Untold,
    /// It is there, and so is the room that it takes.
    There { exchange: Box<dyn Exchange>, _room: OwnedSemaphorePermit },
    /// There was no room for it.
    NoRoom,
}

/// What the request path and the exporter share.
#[derive(Debug, Default)]
struct Shared {
    exported: AtomicU64,
    /// Because nothing waits for room.
    overflowed: AtomicU64,
    /// Because the collector did not take them.
    refused: AtomicU64,
    servers: Mutex<Arc<Servers>>,
}

/// The end that takes histories in, and the end that sends spans.
pub fn traces(settings: Settings) -> (Traces, Exporter) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let (settings, shared) = (Arc::new(settings), Arc::<Shared>::default());
    let exporter = Exporter::new(receiver, &settings, Arc::clone(&shared));
    let content = Arc::new(Semaphore::new(CONTENT_KIB));
    (Traces { queue: sender, settings, shared, content }, exporter)
}

impl Traces {
    /// Which of the traces that begin here are recorded.
    pub fn sample(&self) -> SampleRatio {
        self.settings.sample
    }

    /// Whether spans tell what was said.
    pub fn want_content(&self) -> bool {
        self.settings.content
    }

    /// What became of spans so far.
    pub fn counts(&self) -> Counts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Shared { exported, overflowed, refused, .. } = &*self.shared;
        Counts { exported: count(exported), dropped: count(overflowed) + count(refused) }
    }

    /// From now on models are called there.
    pub fn models_are_at(&self, servers: Servers) {
        *self.shared.servers.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(servers);
    }

    /// A request has ended, in which this was said. Never waits, and does nothing if
    /// the request's trace is not recorded.
    pub fn ended(&self, history: &Arc<History>, exchange: Option<Box<dyn Exchange>>) {
        if !history.trace.is_some_and(|trace| trace.sampled) {
            return;
        }
        let said = exchange.filter(|_| self.settings.content).map_or(Said::Untold, |it| self.room_for(it));
        let ended = Ended { history: Arc::clone(history), said };
        if let Err(no_room) = self.queue.try_send(ended) {
            let lost = spans::count(&no_room.into_inner().history);
            self.shared.overflowed.fetch_add(lost, Ordering::Relaxed);
        }
    }

    fn room_for(&self, exchange: Box<dyn Exchange>) -> Said {
        let kib = u32::try_from(exchange.bytes() / 1_024 + 1).unwrap_or(u32::MAX);
        match Arc::clone(&self.content).try_acquire_many_owned(kib) {
            Ok(room) => Said::There { exchange, _room: room },
            Err(_) => Said::NoRoom,
        }
    }
}

#[cfg(test)]
mod tests;
