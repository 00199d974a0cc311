//! Requests for the number of tokens of an input: the provider counts where all models that would
//! serve the request are of providers that do, and otherwise the gateway estimates.

use std::time::{Duration, Instant};

use pointsman_backends::Backend;
use pointsman_dialects::call::counts_tokens;
use pointsman_dialects::request::ClientConversation;
use pointsman_domain::attempts::{AttemptAction, Attempts};
use pointsman_domain::candidate::{Candidate, eligible};
use pointsman_domain::decision::Decision;
use pointsman_domain::failure::CallTimeouts;
use pointsman_domain::ids::ModelId;
use pointsman_domain::serving_error::{ErrorKind, ServingError};

use crate::app::App;
use crate::memory::HeldFor;
use crate::proxy::forwarded_headers::forwarded_headers;
use crate::proxy::request::AcceptedRequest;
use crate::proxy::routing::RoutingInput;
use crate::proxy::{FailedAttempt, count_tokens};
use crate::snapshot::Snapshot;

/// Longest time for the calls of providers, after which the estimate is the answer.
const LONGEST_TIME: Duration = Duration::from_secs(10);

/// Number of the tokens of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenCount {
    /// The tokens.
    pub input_tokens: u64,
    /// Model whose provider counted them; `None` if they are estimated.
    pub model: Option<ModelId>,
}

/// Counts the tokens of a request. No policy decides, nothing is charged, and a failure of a provider
/// does not count against its models.
///
/// # Errors
/// Fails if the request has no conversation.
pub async fn count(
    app: &App,
    snapshot: &Snapshot,
    accepted: AcceptedRequest<'_>,
) -> Result<TokenCount, ServingError> {
    let AcceptedRequest { headers, body, routing, body_memory: _body_memory } = accepted;
    let Some(conversation) = body.as_conversation() else {
        return Err(ServingError::new(ErrorKind::UnsupportedRequest, "the request has no messages"));
    };
    let estimate = TokenCount { input_tokens: conversation.input_tokens().into(), model: None };
    let candidates = counting_candidates(snapshot, &routing);
    if candidates.is_empty() {
        return Ok(estimate);
    }
    let counter = ProviderCounter { app, snapshot, routing: &routing, candidates };
    Ok(counter.count(conversation, &forwarded_headers(&headers)).await.unwrap_or(estimate))
}

/// Returns the models that are available for a request, in the route's order, with their backends.
/// None if any of them is of a provider that does not count tokens.
fn counting_candidates<'a>(
    snapshot: &'a Snapshot,
    routing: &RoutingInput<'_>,
) -> Vec<(Candidate, &'a Backend)> {
    let eligible = eligible(routing.models(), &routing.request, Instant::now());
    let candidates = eligible.map(|eligible| eligible.candidates).unwrap_or_default();
    let counting = candidates.into_iter().map(|candidate| {
        let backend = snapshot.backends.get(&candidate.model.backend)?;
        (candidate.live.is_available() && counts_tokens(backend.dialect())).then_some((candidate, backend))
    });
    counting.collect::<Option<_>>().unwrap_or_default()
}

/// Calls of the providers that count.
struct ProviderCounter<'a> {
    app: &'a App,
    snapshot: &'a Snapshot,
    routing: &'a RoutingInput<'a>,
    candidates: Vec<(Candidate, &'a Backend)>,
}

impl ProviderCounter<'_> {
    /// Calls the provider of one model after the other within the limits of the route, until one
    /// counts. None is called again: there is an estimate.
    async fn count(&self, request: &ClientConversation, headers: &http::HeaderMap) -> Option<TokenCount> {
        let deadline = self.routing.deadline.min(Instant::now() + LONGEST_TIME);
        let limits = self.routing.route.limits.attempts(deadline);
        let order = Decision::in_order(self.candidates.len(), "count");
        let mut attempts = Attempts::new(order.targets(), limits);
        loop {
            let AttemptAction::Call { candidate, timeout, is_retry: false } =
                attempts.next(Instant::now(), 0.0)
            else {
                return None;
            };
            let (Candidate { model, .. }, backend) = self.candidates.get(candidate)?;
            let first_byte = model.time_limits.first_byte.map_or(timeout, |limit| limit.min(timeout));
            let left = deadline.saturating_duration_since(Instant::now());
            let answer = Some(limits.timeouts.answer.map_or(left, |limit| limit.min(left)));
            let timeouts = CallTimeouts { first_byte, answer, ..limits.timeouts };
            let memory = self.app.memory.lease(HeldFor::Answers, self.snapshot.config.memory);
            match count_tokens(backend, model, request, headers.clone(), timeouts, memory).await {
                Ok(input_tokens) => return Some(TokenCount { input_tokens, model: Some(model.id.clone()) }),
                Err(FailedAttempt { failure, .. }) => {
                    self.app.recorder.telemetry.log_token_count_failure(&model.id, &failure.kind);
                    if attempts.record_failure(candidate, &failure) {
                        return None;
                    }
                }
            }
        }
    }
}
