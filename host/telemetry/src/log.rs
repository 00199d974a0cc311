//! Log lines.

use pointsman_domain::history::History;
use pointsman_domain::ids::ModelId;

/// A request has ended.
pub(crate) fn ended(history: &History) {
    let outcome = &history.outcome;
    tracing::debug!(
        decision = %outcome.id,
        route = %history.route,
        label = %outcome.label,
        model = outcome.model.as_ref().map_or("-", ModelId::as_str),
        ending = outcome.ending.as_str(),
        fault = outcome.fault.map(|fault| fault.as_str()),
        attempts = outcome.attempts,
        input_tokens = outcome.usage.input_tokens,
        output_tokens = outcome.usage.output_tokens,
        cost_usd = %outcome.cost,
        latency_ms = outcome.latency.as_millis() as u64,
        error = outcome.error.as_deref(),
        "request ended"
    );
}
