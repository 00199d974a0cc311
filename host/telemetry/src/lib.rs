//! What operators see of requests that have ended.
//!
//! A [`History`] comes in, once for each request, and everything is told from it:
//! the log line, the last requests, the sums over time, the spans. So they agree, and
//! what a history does not hold, such as content and keys, is in none of them. Who asks
//! for content in spans gets it beside the history, and only there.

mod log;
pub mod metrics;
mod recent;
pub mod record;
#[cfg(test)]
mod sample;
mod timeline;
pub mod traces;

use std::sync::Arc;

use pointsman_domain::history::History;

pub use metrics::Metrics;
pub use recent::{Recent, Since};
pub use record::Record;
pub use timeline::{Point, Steps, Timeline, Window};
use traces::{Exchange, Traces};

/// Takes in what happened.
#[derive(Debug, Default)]
pub struct Telemetry {
    /// The last requests.
    pub recent: Recent,
    /// Sums over time.
    pub timeline: Timeline,
    /// What is counted.
    pub metrics: Metrics,
    /// Spans, if somebody collects them.
    pub traces: Option<Traces>,
}

impl Telemetry {
    /// A request has ended, in which this was said, if spans are to tell it.
    pub fn ended(&self, history: History, exchange: Option<Box<dyn Exchange>>) {
        log::ended(&history);
        self.timeline.add(&history);
        self.metrics.ended(&history);
        let history = Arc::new(history);
        if let Some(traces) = &self.traces {
            traces.ended(&history, exchange);
        }
        self.recent.keep(history);
    }
}
