//! `POST /v1/chat/completions`

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::Request;
use pointsman_domain::attempts::Limits;
use pointsman_domain::candidate::{NoCandidate, eligible};
use pointsman_domain::decision::Refusal;
use pointsman_domain::outcome::Ending;
use pointsman_policy::DecisionInput;

use super::error::ApiError;
use super::headers::{Told, Wishes, forwarded};
use super::{facts, intake};
use crate::app::App;
use crate::config::Key;
use crate::ledger::Account;
use crate::proxy::answer;
use crate::proxy::attempt::Outgoing;
use crate::proxy::choose::{Choice, NoChoice, choose};
use crate::proxy::race::{Exhausted, race};
use crate::snapshot::{Route, Snapshot};

/// Answers a chat request, or says why not; either way with what is known of
/// the decision in the headers.
pub(super) async fn completions(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    let mut told = Told::default();
    match complete(&app, request, &mut told).await {
        Ok(response) => response,
        Err(error) => {
            let mut response = error.into_response();
            told.write(response.headers_mut());
            response
        }
    }
}

async fn complete(app: &App, request: Request<Body>, told: &mut Told) -> Result<Response, ApiError> {
    let arrived = Instant::now();
    let snapshot = app.snapshot();
    let (parts, body) = request.into_parts();
    let key = snapshot.keys.authenticate(&parts.headers)?;
    let wishes = Wishes::read(&parts.headers)?;
    let request = intake::chat_request(&parts.headers, body, snapshot.max_body_bytes).await?;
    let route = route(&snapshot, &request.model, key)?;

    let id = facts::decision_id();
    told.decision_id(&id);
    let tenant = key.map(|key| key.name.clone());
    let deadline =
        arrived + wishes.deadline.map_or(route.limits.timeout, |wish| wish.min(route.limits.timeout));
    let mut account = Account::open(
        Arc::clone(&app.ledger),
        &id,
        Arc::clone(&route.name),
        tenant.clone(),
        request.input_tokens,
        arrived,
    );
    let facts = facts::of(id, &request, wishes, tenant, Some(deadline));
    let candidates: Arc<[_]> = match eligible(&route.models, &facts, Instant::now()) {
        Ok(candidates) => candidates.into(),
        Err(none) => return Err(reject(account, no_candidate(&none))),
    };

    let input = DecisionInput {
        request: Arc::new(facts),
        candidates: Arc::clone(&candidates),
        prompt: Arc::new(request.prompt()),
    };
    let choice = match choose(&route.strategy, input).await {
        Ok(choice) => choice,
        Err(no_choice) => return Err(reject(account, not_chosen(no_choice, told))),
    };
    tell_choice(&choice, told);
    let feedback = choice.policy.as_ref().and_then(|policy| app.feedback.for_policy(policy));
    account.decided(choice.decision.label(), feedback);

    let outgoing = Outgoing { request, headers: forwarded(&parts.headers) };
    let limits = Limits {
        max_attempts: route.limits.max_attempts,
        attempt_timeout: route.limits.attempt_timeout,
        deadline: Some(deadline),
        backoff: route.limits.backoff,
    };
    let racing = race(&snapshot.backends, &candidates, &choice.decision, limits, &outgoing, &mut account);
    let told_now = |told: &mut Told, account: &Account| told.attempts(account.attempts());
    match tokio::time::timeout_at(deadline.into(), racing).await {
        Ok(Ok(committed)) => Ok(answer::respond(committed, account, std::mem::take(told), Some(deadline))),
        Ok(Err(exhausted)) if exhausted.words.is_some() || Instant::now() < deadline => {
            told_now(told, &account);
            exhausted_answer(exhausted, account, told)
        }
        // An attempt gets no more time than is left, so it may be the first to run out of it.
        Ok(Err(_)) | Err(_) => {
            told_now(told, &account);
            let waited = account.elapsed(Instant::now()).as_millis();
            Err(reject(account, ApiError::timeout(format!("no model answered within {waited} ms"))))
        }
    }
}

/// The route, or the directly addressed model, that a request names.
fn route<'a>(snapshot: &'a Snapshot, model: &str, key: Option<&Key>) -> Result<&'a Route, ApiError> {
    let Some(route) = snapshot.served.get(model) else {
        return Err(ApiError::not_found(
            "model_not_found",
            format!("there is no route or model `{model}`: GET /v1/models lists what there is"),
        ));
    };
    match key {
        Some(key) if !key.may_ask_for(model) => Err(ApiError::forbidden(
            "model_not_allowed",
            format!("the key `{}` may not use `{model}`", key.name),
        )),
        _ => Ok(route),
    }
}

/// Closes the account of a request that gets no answer.
fn reject(account: Account, error: ApiError) -> ApiError {
    account.close(Ending::Failed, Some(error.message().to_owned()));
    error
}

fn no_candidate(none: &NoCandidate) -> ApiError {
    let code = match none {
        NoCandidate::ContextWindow { .. } => "context_length_exceeded",
        _ => "unsupported_request",
    };
    ApiError::bad_request(code, None, none.to_string())
}

fn not_chosen(no_choice: NoChoice, told: &mut Told) -> ApiError {
    match no_choice {
        NoChoice::Refused { refusal, policy } => {
            told.policy(policy.version());
            match refusal {
                Refusal::NoCandidate(why) => ApiError::unavailable("no_suitable_model", why),
                Refusal::Denied(why) => ApiError::forbidden("policy_denied", why),
            }
        }
        NoChoice::Rejected { reason, policy } => {
            told.policy(policy.version());
            told.policy_failure(reason);
            ApiError::unavailable(
                "policy_failed",
                format!(
                    "the policy `{}` failed ({reason}), and the route rejects requests then",
                    policy.name()
                ),
            )
        }
    }
}

fn tell_choice(choice: &Choice, told: &mut Told) {
    told.route(choice.decision.label());
    if let Some(policy) = &choice.policy {
        told.policy(policy.version());
    }
    if let Some(reason) = choice.failure {
        told.policy_failure(reason);
    }
}

/// What the client gets when no model answered: the backend's own words if the
/// request is at fault, else what was tried.
fn exhausted_answer(exhausted: Exhausted, account: Account, told: &mut Told) -> Result<Response, ApiError> {
    if let Some(words) = exhausted.words {
        account.close(Ending::Failed, Some(format!("the backend answered with status {}", words.status)));
        return Ok(answer::pass_on(*words, std::mem::take(told)));
    }
    Err(reject(account, all_failed(&exhausted)))
}

fn all_failed(exhausted: &Exhausted) -> ApiError {
    let tried: Vec<String> = exhausted
        .failures
        .iter()
        .map(|(model, failure)| format!("{model}: {}", failure.kind.for_client()))
        .collect();
    let message = format!("no model answered: {}", tried.join("; "));
    let retry_after = exhausted.failures.iter().filter_map(|(_, failure)| failure.retry_after).min();
    if exhausted.failures.iter().all(|(_, failure)| failure.kind.is_rate_limit()) && !tried.is_empty() {
        return ApiError::rate_limited(message).retry_after(retry_after);
    }
    ApiError::bad_gateway(message).retry_after(retry_after)
}
