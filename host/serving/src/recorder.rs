//! Everything that records a request when it ends: usage, metrics, decision log, traces.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::SystemTime;

use pointsman_domain::history::History;
use pointsman_domain::model::Model;
use pointsman_domain::serving_error::ErrorKind;
use pointsman_telemetry::traces::{ModelServers, Traces};
use pointsman_telemetry::{DecisionLog, Supervisor, Telemetry};

use crate::captured_content::CapturedContent;
use crate::ledger::Ledger;
use crate::ratings::RatableDecisions;

/// Recorders of requests.
#[derive(Debug, Default)]
pub struct Recorder {
    /// Sums of usage and cost.
    pub ledger: Ledger,
    /// Metrics, logs, traces and recent decisions.
    pub telemetry: Telemetry,
    /// Decisions that can be rated.
    pub ratable: RatableDecisions,
}

impl Recorder {
    /// A recorder with a span exporter and a decision log, where they are configured.
    pub fn new(traces: Option<Traces>, decision_log: Option<DecisionLog>) -> Self {
        let telemetry = Telemetry::new(traces, decision_log);
        Self { ledger: Ledger::default(), telemetry, ratable: RatableDecisions::default() }
    }

    /// Starts the thread that serialises log lines and spans, where there are any.
    pub fn start(self: &Arc<Self>, supervisor: &Supervisor) -> io::Result<()> {
        if self.telemetry.decision_log.is_none() && self.telemetry.traces.is_none() {
            return Ok(());
        }
        let recorder = Arc::clone(self);
        supervisor.spawn_thread("telemetry", move || {
            recorder.telemetry.run();
            ControlFlow::Break(())
        })
    }

    /// Sets the routes with their models, and the servers of the models, that requests can be for
    /// from now on.
    pub fn configure<'a, R>(&self, served: impl Fn() -> R, servers: impl FnOnce() -> ModelServers)
    where
        R: Iterator<Item = (&'a Arc<str>, &'a [Arc<Model>])>,
    {
        self.telemetry.metrics.configure(served);
        if let Some(traces) = self.traces() {
            traces.set_servers(servers());
        }
    }

    /// Counts a request that is rejected before a decision.
    pub fn record_rejected(&self, kind: ErrorKind) {
        self.telemetry.metrics.record_rejected(kind.code());
        self.telemetry.timeline.add_rejected(kind.cause(), SystemTime::now());
    }

    /// The span exporter, if there is one.
    pub fn traces(&self) -> Option<&Traces> {
        self.telemetry.traces.as_ref()
    }

    /// Records a request that has ended, with its content where content is recorded.
    pub fn record_request(&self, history: History, content: Option<CapturedContent>) {
        self.ledger.record(&history);
        self.telemetry.record_request(history, content.map(|content| Box::new(content) as _));
    }
}
