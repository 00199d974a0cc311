//! Who is told of a request that has ended.

use pointsman_domain::history::History;
use pointsman_telemetry::Telemetry;

use crate::client::error::ApiError;
use crate::ledger::Ledger;
use crate::snapshot::Snapshot;

/// Everybody who is told.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    /// What was used.
    pub(crate) ledger: Ledger,
    /// What is shown to operators.
    pub(crate) telemetry: Telemetry,
}

impl Recorder {
    /// From now on, requests can be for what this snapshot serves.
    pub(crate) fn serves(&self, snapshot: &Snapshot) {
        let served = || snapshot.served.values().map(|route| (&route.name, route.models.as_slice()));
        self.telemetry.metrics.configure(served);
    }

    /// A request was turned away before anybody was asked what to do.
    pub(crate) fn turned_away(&self, error: &ApiError) {
        self.telemetry.metrics.turned_away(error.code());
    }

    /// A request has ended.
    pub(crate) fn ended(&self, history: History) {
        self.ledger.enter(&history);
        self.telemetry.ended(history);
    }
}
