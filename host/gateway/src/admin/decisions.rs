//! `GET /admin/decisions` and `GET /admin/decisions/ID`

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use pointsman_admin_api::{DecisionSummary, DecisionsQuery, FailedCall};
use pointsman_domain::history::{CallEnd, History, ModelCall};
use pointsman_domain::outcome::FailureCause;
use pointsman_record::{DecisionRecord, ms, unix_ms};

use super::Admin;
use super::error::{AdminError, AdminErrorKind};
use super::query::ApiQuery;

/// Decisions that are listed by default.
const DEFAULT_LIMIT: usize = 50;

/// Lists the newest decisions that match, the newest first.
pub(super) async fn list(
    State(admin): State<Arc<Admin>>,
    ApiQuery(query): ApiQuery<DecisionsQuery>,
) -> Json<Vec<DecisionSummary>> {
    let recent = &admin.app.recorder.telemetry.recent;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let histories = recent.newest(limit, |history| matches(&query, history));
    Json(histories.iter().map(|history| summary(history)).collect())
}

/// Returns the decision record.
pub(super) async fn one(State(admin): State<Arc<Admin>>, Path(id): Path<String>) -> Response {
    match admin.app.recorder.telemetry.recent.get(&id) {
        Some(history) => Json(DecisionRecord::from_history(&history)).into_response(),
        None => unknown("decision", "unknown_decision", &id).into_response(),
    }
}

/// Returns the error for an id that is not among the recent requests.
pub(super) fn unknown(what: &str, code: &'static str, id: &str) -> AdminError {
    let message = format!(
        "there is no {what} `{id}`: the last 1,000 are kept, by the id in x-pointsman-decision-id, once their \
         answer has ended, and only 100 of each second where more end; [decision_log] keeps all"
    );
    AdminError::new(AdminErrorKind::NotFound, message).code(code)
}

fn matches(query: &DecisionsQuery, history: &History) -> bool {
    let is = |expected: &Option<String>, actual: Option<&str>| {
        expected.as_deref().is_none_or(|expected| actual == Some(expected))
    };
    let policy = history.decided_by().map(|version| version.policy.as_str());
    let time = |ms: Option<u64>| ms.map(|ms| UNIX_EPOCH + Duration::from_millis(ms));
    let (since, until) = (time(query.since), time(query.until));
    is(&query.route, Some(&history.route))
        && is(&query.model, history.last_model().map(|model| model.as_str()))
        && is(&query.key, history.request.tenant.as_ref().map(|key| key.as_str()))
        && is(&query.policy, policy)
        && is(&query.cause, history.cause.map(FailureCause::as_str))
        && is(&query.ending, Some(history.outcome.ending.as_str()))
        && since.is_none_or(|since| history.arrived >= since)
        && until.is_none_or(|until| history.arrived < until)
}

pub(super) fn summary(history: &History) -> DecisionSummary {
    let outcome = &history.outcome;
    DecisionSummary {
        id: outcome.id.clone(),
        at_ms: unix_ms(history.arrived),
        route: history.route.to_string(),
        key: history.request.tenant.as_ref().map(ToString::to_string),
        policy: history.decided_by().map(ToString::to_string),
        label: outcome.label.clone(),
        reason: history.reason().map(str::to_owned),
        ending: outcome.ending.as_str().to_owned(),
        model: history.last_model().map(ToString::to_string),
        attempts: outcome.attempts,
        streaming: history.request.streaming,
        tasks: history.plan.as_ref().map(|plan| plan.tasks.len()),
        latency_ms: ms(outcome.latency),
        first_token_ms: outcome.first_token.map(ms),
        input_tokens: outcome.usage.input_tokens,
        output_tokens: outcome.usage.output_tokens,
        cost_usd: outcome.cost.usd(),
        error: outcome.error.clone(),
        cause: history.cause.map(|cause| cause.as_str().to_owned()),
        failed_calls: history.calls.iter().filter_map(failed_call).collect(),
    }
}

fn failed_call(call: &ModelCall) -> Option<FailedCall> {
    let error = match &call.end {
        CallEnd::Failed(kind) => kind.to_string(),
        CallEnd::BrokeOff => "the answer broke off".to_owned(),
        CallEnd::Open | CallEnd::Answered | CallEnd::Cancelled => return None,
    };
    Some(FailedCall { model: call.model.id.to_string(), error })
}
