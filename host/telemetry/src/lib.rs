//! What operators see of requests that have ended.
//!
//! A [`History`] comes in, once for each request, and everything is told from it:
//! the log line, the last requests, the sums over time. So they agree, and what a
//! history does not hold, such as content and keys, is in none of them.

mod log;
pub mod metrics;
mod recent;
pub mod record;
#[cfg(test)]
mod sample;
mod timeline;

use std::sync::Arc;

use pointsman_domain::history::History;

pub use metrics::Metrics;
pub use recent::{Recent, Since};
pub use record::Record;
pub use timeline::{Point, Steps, Timeline, Window};

/// Takes in what happened.
#[derive(Debug, Default)]
pub struct Telemetry {
    /// The last requests.
    pub recent: Recent,
    /// Sums over time.
    pub timeline: Timeline,
    /// What is counted.
    pub metrics: Metrics,
}

impl Telemetry {
    /// A request has ended.
    pub fn ended(&self, history: History) {
        log::ended(&history);
        self.timeline.add(&history);
        self.metrics.ended(&history);
        self.recent.keep(Arc::new(history));
    }
}
