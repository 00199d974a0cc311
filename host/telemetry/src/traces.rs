//! Spans of requests that have ended, for an OpenTelemetry collector.
//!
//! The spans of a request in a sampled trace are appended to the growing batch. If the queue of batches
//! is full, they are dropped and counted; no request waits. The [`Exporter`] sends batches in the
//! background.

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

use crate::content::ContentSource;
use batches::BatchQueue;
use content::SpanContent;
pub use exporter::{CollectorResponse, Exporter, REQUEST_TYPE, SpanCollector};
use spans::RequestSpans;
pub use spans::{ModelServer, ModelServers};

/// Settings of traces.
#[derive(Clone, Debug)]
pub struct TraceSettings {
    /// Name of the service at the collector.
    pub service: String,
    /// Id of this process among others of the same service.
    pub instance: String,
    /// Share of the traces that begin here that is sampled.
    pub sample: SampleRatio,
    /// True if spans include content.
    pub content: bool,
}

/// Recorder of spans.
#[derive(Debug)]
pub struct Traces {
    settings: TraceSettings,
    queue: Arc<SpanQueue>,
    servers: ArcSwap<ModelServers>,
}

/// Counts of spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportCounts {
    /// Spans that the collector accepted.
    pub exported: u64,
    /// Spans that were lost: the queue was full, or the collector did not accept them.
    pub dropped: u64,
}

/// Queue between the requests and the exporter, with its counters.
#[derive(Debug, Default)]
struct SpanQueue {
    batches: BatchQueue,
    exported: AtomicU64,
    /// Spans that found the queue full.
    overflowed: AtomicU64,
    /// Spans that the collector did not accept.
    rejected: AtomicU64,
}

/// Creates a recorder and the exporter of its spans.
pub fn traces(settings: TraceSettings) -> (Traces, Exporter) {
    let queue = Arc::<SpanQueue>::default();
    let exporter = Exporter::new(&settings, Arc::clone(&queue));
    (Traces { settings, queue, servers: ArcSwap::default() }, exporter)
}

impl Traces {
    /// Returns the share of the traces that begin here that is sampled.
    pub fn sample(&self) -> SampleRatio {
        self.settings.sample
    }

    /// Returns whether a request in this trace is recorded.
    pub fn wants(&self, trace: Option<TraceContext>) -> bool {
        trace.is_some_and(|trace| trace.sampled)
    }

    /// Returns whether its content is recorded.
    pub fn wants_content(&self, trace: Option<TraceContext>) -> bool {
        self.settings.content && self.wants(trace)
    }

    /// Returns the counts so far.
    pub fn counts(&self) -> ExportCounts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let SpanQueue { exported, overflowed, rejected, .. } = &*self.queue;
        ExportCounts { exported: count(exported), dropped: count(overflowed) + count(rejected) }
    }

    /// Replaces the servers of models.
    pub fn set_servers(&self, servers: ModelServers) {
        self.servers.store(Arc::new(servers));
    }

    /// Records a request that has ended, if its trace is sampled. Never waits.
    pub fn record(&self, history: &History, content: Option<&dyn ContentSource>) {
        let Some(trace) = history.trace.filter(|trace| trace.sampled) else { return };
        let content = content.filter(|_| self.settings.content).map(SpanContent::read);
        let spans = RequestSpans { history, trace, servers: &self.servers.load(), content: content.as_ref() };
        let count = spans::count(history);
        if !self.queue.batches.add(count, |batch| spans.write(batch)) {
            self.queue.overflowed.fetch_add(count, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
