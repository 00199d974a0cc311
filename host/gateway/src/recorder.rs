//! Who is told of a request that has ended.

use pointsman_domain::history::History;
use pointsman_domain::prompt::Prompt;
use pointsman_telemetry::traces::{self, Traces};
use pointsman_telemetry::{Content, DecisionLog, Telemetry};

use crate::client::error::ApiError;
use crate::ledger::Ledger;
use crate::snapshot::Snapshot;
use crate::traces::{Exchange, servers};

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

    /// What a request says, if the decision log is to have it.
    pub(crate) fn content(&self, id: &str, prompt: &dyn Prompt) -> Option<Content> {
        self.telemetry.decision_log.as_ref()?.content(id, prompt)
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
    pub(crate) fn ended(&self, history: History, exchange: Option<Exchange>, content: Option<Content>) {
        self.ledger.enter(&history);
        let exchange = exchange.map(|it| Box::new(it) as Box<dyn traces::Exchange>);
        self.telemetry.ended(history, exchange, content);
    }
}
