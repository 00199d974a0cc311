//! Traces: spans of requests that have ended, for an OpenTelemetry collector.
//!
//! The spans of a request whose trace is recorded are written into the batch that
//! grows. Where there is no room they are dropped, and counted; nobody waits. The
//! [`Exporter`] sends batches, beside the requests.

mod batches;
mod content;
mod exporter;
mod protobuf;
mod span;
mod spans;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use pointsman_domain::history::History;
use pointsman_domain::trace::{SampleRatio, TraceContext};

use crate::content::Exchange;
use batches::Batches;
use content::Content;
pub use exporter::{Collector, CollectorResponse, Exporter, REQUEST_TYPE};
use spans::Spans;
pub use spans::{Server, Servers};

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
    settings: Settings,
    shared: Arc<Shared>,
    servers: ArcSwap<Servers>,
}

/// What became of spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// The collector has them.
    pub exported: u64,
    /// They are lost: there was no room for them, or the collector did not take them.
    pub dropped: u64,
}

/// What the request path and the exporter share.
#[derive(Debug, Default)]
struct Shared {
    batches: Batches,
    exported: AtomicU64,
    /// Because nothing waits for room.
    overflowed: AtomicU64,
    /// Because the collector did not take them.
    refused: AtomicU64,
}

/// The end that takes histories in, and the end that sends spans.
pub fn traces(settings: Settings) -> (Traces, Exporter) {
    let shared = Arc::<Shared>::default();
    let exporter = Exporter::new(&settings, Arc::clone(&shared));
    (Traces { settings, shared, servers: ArcSwap::default() }, exporter)
}

impl Traces {
    /// Which of the traces that begin here are recorded.
    pub fn sample(&self) -> SampleRatio {
        self.settings.sample
    }

    /// Whether a request in this trace is told in spans.
    pub fn wants(&self, trace: Option<TraceContext>) -> bool {
        trace.is_some_and(|trace| trace.sampled)
    }

    /// Whether they tell what was said in it.
    pub fn wants_content(&self, trace: Option<TraceContext>) -> bool {
        self.settings.content && self.wants(trace)
    }

    /// What became of spans so far.
    pub fn counts(&self) -> Counts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Shared { exported, overflowed, refused, .. } = &*self.shared;
        Counts { exported: count(exported), dropped: count(overflowed) + count(refused) }
    }

    /// From now on models are called there.
    pub fn models_are_at(&self, servers: Servers) {
        self.servers.store(Arc::new(servers));
    }

    /// A request has ended, in which this was said. Never waits, and does nothing if
    /// the request's trace is not recorded.
    pub fn ended(&self, history: &History, exchange: Option<&dyn Exchange>) {
        let Some(trace) = history.trace.filter(|trace| trace.sampled) else { return };
        let content = exchange.filter(|_| self.settings.content).map(Content::read);
        let spans = Spans { history, trace, servers: &self.servers.load(), content: content.as_ref() };
        let count = spans::count(history);
        if !self.shared.batches.add(count, |batch| spans.write(batch)) {
            self.shared.overflowed.fetch_add(count, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
