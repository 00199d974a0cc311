//! Who is told of a request that has ended.

use pointsman_domain::history::History;
use pointsman_telemetry::Telemetry;

use crate::ledger::Ledger;

/// Everybody who is told.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    /// What was used.
    pub(crate) ledger: Ledger,
    /// What is shown to operators.
    pub(crate) telemetry: Telemetry,
}

impl Recorder {
    /// A request has ended.
    pub(crate) fn ended(&self, history: History) {
        self.ledger.enter(&history);
        self.telemetry.ended(history);
    }
}
