//! Who is told of a request that has ended.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use pointsman_domain::history::History;
use pointsman_telemetry::traces::Traces;
use pointsman_telemetry::{DecisionLog, Supervisor, Telemetry};

use crate::client::error::ApiError;
use crate::exchange::Exchange;
use crate::ledger::Ledger;
use crate::snapshot::Snapshot;
use crate::traces::servers;

/// Everybody who is told.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    /// What was used.
    pub(crate) ledger: Ledger,
    /// What is shown to operators.
    pub(crate) telemetry: Telemetry,
}

impl Recorder {
    /// With whoever takes spans, and with a decision log, if there is to be one.
    pub(crate) fn new(traces: Option<Traces>, decision_log: Option<DecisionLog>) -> Self {
        Self { ledger: Ledger::default(), telemetry: Telemetry::new(traces, decision_log) }
    }

    /// Starts the thread that makes lines and spans of requests, if there are to be any.
    pub(crate) fn start(self: &Arc<Self>, supervisor: &Supervisor) -> io::Result<()> {
        if self.telemetry.decision_log.is_none() && self.telemetry.traces.is_none() {
            return Ok(());
        }
        let recorder = Arc::clone(self);
        supervisor.spawn_thread("telemetry", move || {
            recorder.telemetry.run();
            ControlFlow::Break(())
        })
    }

    /// From now on, requests can be for what this snapshot serves.
    pub(crate) fn serves(&self, snapshot: &Snapshot) {
        let served = || snapshot.served.values().map(|route| (&route.name, route.models.as_slice()));
        self.telemetry.metrics.configure(served);
        if let Some(traces) = self.traces() {
            traces.models_are_at(servers(&snapshot.config));
        }
    }

    /// A request was turned away before anybody was asked what to do.
    pub(crate) fn turned_away(&self, error: &ApiError) {
        self.telemetry.metrics.turned_away(error.code());
    }

    /// Who takes spans.
    pub(crate) fn traces(&self) -> Option<&Traces> {
        self.telemetry.traces.as_ref()
    }

    /// A request has ended, in which this was said, if that is to be told.
    pub(crate) fn ended(&self, history: History, exchange: Option<Exchange>) {
        self.ledger.enter(&history);
        self.telemetry.ended(history, exchange.map(|exchange| Box::new(exchange) as _));
    }
}
