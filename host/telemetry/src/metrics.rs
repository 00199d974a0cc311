//! Metrics in the formats of Prometheus.
//!
//! Events are counted when a request ends, from its [`History`]: one look-up of the route, one of
//! the model of each call, and then additions without locks. All series are created beforehand from
//! the names in the configuration, so no request can add one, and a reload drops those of removed
//! names. Gauges (health, calls under way, policies of routes) are read when a page is requested,
//! from the [`MetricsState`] that the gateway passes.
//!
//! The library writes the formats only. Its families cost a lock and a hash of all labels for each
//! update, and its histograms a lock.

mod definition;
mod durations;
mod format;
mod label_map;
mod labels;
mod page;
mod series;
mod state;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use pointsman_domain::history::History;
use pointsman_domain::model::Model;
use prometheus_client::registry::Registry;

pub use definition::{ALL, MetricDefinition, MetricKind};
pub use format::MetricsFormat;
pub use state::{
    HeldKind, MemoryMetrics, MetricsState, ModelMetrics, PolicyMetrics, PoolMetrics, ReloadMetrics,
    RollbackCount, RouteMetrics, StateMetrics,
};

use labels::ByQueue;
use page::MetricsPage;
use series::Series;

/// Counters and histograms.
#[derive(Debug, Default)]
pub struct Metrics {
    series: ArcSwap<Series>,
    /// Rejected requests by the code of their error.
    rejected: Mutex<BTreeMap<&'static str, u64>>,
    dropped: ByQueue<AtomicU64>,
    feedback: AtomicU64,
}

/// A queue that drops its newest entries when it is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueLabel {
    /// Decision records for the log.
    DecisionLog,
    /// Spans for a collector.
    Traces,
    /// Events for the subscribers of the admin API.
    Events,
    /// Requests for a policy in shadow.
    Shadow,
    /// Outcomes for policies that observe.
    Feedback,
    /// Log lines for standard error.
    Log,
}

impl Metrics {
    /// Creates the series of a configuration: each name that clients may ask for, with its models.
    /// Names that stay keep their counts.
    pub fn configure<'a, M>(&self, served: impl Fn() -> M)
    where
        M: Iterator<Item = (&'a Arc<str>, &'a [Arc<Model>])>,
    {
        self.series.rcu(|before| before.reconfigured(served()));
    }

    /// Counts a request that has ended.
    pub fn record_request(&self, history: &History) {
        self.series.load().add(history);
    }

    /// Counts a request that was rejected before a decision. The code is a constant of the source.
    pub fn record_rejected(&self, code: &'static str) {
        *self.rejected.lock().unwrap_or_else(PoisonError::into_inner).entry(code).or_default() += 1;
    }

    /// Counts a rating of an answer.
    pub fn record_feedback(&self) {
        self.feedback.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts entries that a queue dropped.
    pub fn record_dropped(&self, queue: QueueLabel, count: u64) {
        self.dropped.get(queue).fetch_add(count, Ordering::Relaxed);
    }

    /// Returns the entries that a queue dropped, without those that its writer counts.
    pub fn dropped_by(&self, queue: QueueLabel) -> u64 {
        self.dropped.get(queue).load(Ordering::Relaxed)
    }

    /// Renders all metrics in a format, with the state at this moment.
    pub fn page(&self, format: MetricsFormat, state: MetricsState) -> String {
        let page = MetricsPage {
            series: self.series.load_full(),
            rejected: self.rejected.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            dropped: self.dropped(&state),
            feedback: self.feedback.load(Ordering::Relaxed),
            state,
        };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(page));
        format.write(&registry)
    }

    /// Returns the dropped entries of all queues. Spans, records and log lines are counted by their
    /// writers, whose counts are part of the state.
    fn dropped(&self, state: &MetricsState) -> Vec<(&'static str, u64)> {
        let by_writer = ByQueue::of_writers(state);
        let counts = self.dropped.iter().zip(by_writer.iter());
        counts.map(|((queue, count), (_, more))| (queue, count.load(Ordering::Relaxed) + more)).collect()
    }
}

#[cfg(test)]
mod tests;
