//! Metrics, as Prometheus asks for them.
//!
//! What happens is counted when a request ends, from its [`History`]: one look-up
//! of the route, one of the model of each call, and then additions without locks.
//! The names are those of the configuration, looked up beforehand, so no request
//! can add a series, and what the configuration no longer has is gone. What simply
//! is (health, calls under way, who decides) is read when somebody asks, from the
//! [`State`] that the gateway gives.
//!
//! The library writes the formats. Its own counters and histograms are not used:
//! a family of them is a lock and a hash of all labels for each update, and its
//! histogram a lock too.

mod calls;
mod definition;
mod format;
mod page;
mod series;
mod state;
mod times;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use pointsman_domain::history::History;
use pointsman_domain::model::Model;
use prometheus_client::registry::Registry;

pub use definition::{ALL, Definition, Kind};
pub use format::Format;
pub use state::{
    HeldKind, MemoryState, ModelState, PolicyState, PoolState, ReloadState, RouteState, State, Undone,
};

use page::Page;
use series::Series;

/// What is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    series: ArcSwap<Series>,
    /// Requests turned away, by the code that they were told.
    rejected: Mutex<BTreeMap<&'static str, u64>>,
    dropped: [AtomicU64; Queue::ALL.len()],
}

/// What is told through a queue that drops rather than wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Decision records, for the log.
    DecisionLog,
    /// Spans, for a collector.
    Traces,
    /// Events, for whoever follows them.
    Events,
    /// Requests, for a policy in shadow.
    Shadow,
    /// Outcomes, for policies that observe.
    Feedback,
    /// Log lines, for standard error.
    Log,
}

impl Metrics {
    /// Tells what there is to count: each name that clients may ask for, with the
    /// models behind it. What was counted of names that stay is kept.
    pub fn configure<'a, M>(&self, served: impl Fn() -> M)
    where
        M: Iterator<Item = (&'a Arc<str>, &'a [Arc<Model>])>,
    {
        self.series.rcu(|before| before.renewed(served()));
    }

    /// A request has ended.
    pub fn ended(&self, history: &History) {
        self.series.load().add(history);
    }

    /// A request was turned away before anybody was asked what to do. The code is
    /// one of those in the source.
    pub fn turned_away(&self, code: &'static str) {
        *self.rejected.lock().unwrap_or_else(PoisonError::into_inner).entry(code).or_default() += 1;
    }

    /// So much was dropped because a queue was full.
    pub fn dropped(&self, queue: Queue, count: u64) {
        self.dropped[queue as usize].fetch_add(count, Ordering::Relaxed);
    }

    /// All of it in a format, with how things stand.
    pub fn page(&self, format: Format, state: State) -> String {
        let page = Page {
            series: self.series.load_full(),
            rejected: self.rejected.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            dropped: Queue::ALL.map(|queue| {
                let counted = self.dropped[queue as usize].load(Ordering::Relaxed);
                // Spans, records and log lines are counted by whoever sends and writes them.
                let elsewhere = match queue {
                    Queue::Traces => state.spans_dropped,
                    Queue::DecisionLog => state.records_dropped,
                    Queue::Log => state.log_lines_dropped,
                    Queue::Events | Queue::Shadow | Queue::Feedback => 0,
                };
                (queue, counted + elsewhere)
            }),
            state,
        };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(page));
        format.write(&registry)
    }
}

impl Queue {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::DecisionLog, Self::Traces, Self::Events, Self::Shadow, Self::Feedback, Self::Log];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DecisionLog => "decision-log",
            Self::Traces => "traces",
            Self::Events => "events",
            Self::Shadow => "shadow",
            Self::Feedback => "feedback",
            Self::Log => "log",
        }
    }
}

#[cfg(test)]
mod tests;
