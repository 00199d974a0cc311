//! Takes in a request: who asks, what for, and what can be known of it. The body
//! is decoded while it arrives.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Request};
use pointsman_wire::openai::client::{BadRequest, ChatRequest, RequestScan, ScanLimits};

use self::decoded_body::DecodedBody;
use super::error::ApiError;
use super::facts;
use super::headers::Wishes;
use crate::app::App;
use crate::config::Key;
use crate::memory::{HeldFor, MemoryLease, OutOfMemory};
use crate::proxy::choose::Question;
use crate::snapshot::{Route, Snapshot};

mod decoded_body;

/// A client has this long to send its body.
const PATIENCE: Duration = Duration::from_secs(60);

/// A chat request that may be answered.
pub(super) struct Intake<'a> {
    /// Its headers, as they came.
    pub(super) headers: HeaderMap,
    /// Its body.
    pub(super) request: ChatRequest,
    /// What a policy is asked about it.
    pub(super) question: Question<'a>,
    /// Counts the body as held.
    pub(super) body_memory: MemoryLease,
}

impl<'a> Intake<'a> {
    /// Accepts a request that has just arrived.
    pub(super) async fn take(
        app: &App,
        snapshot: &'a Snapshot,
        request: Request<Body>,
    ) -> Result<Self, ApiError> {
        let (parts, mut body) = request.into_parts();
        let arrived = Instant::now();
        let key = snapshot.keys.authenticate(&parts.headers)?;
        let wishes = Wishes::read(&parts.headers)?;
        let mut body_memory = app.memory.lease(HeldFor::RequestBodies, snapshot.config.memory);
        let limit = snapshot.max_body_bytes;
        let request = chat_request(&parts.headers, &mut body, limit, &mut body_memory).await?;
        let route = route(snapshot, &request.model, key)?;
        let timeout = wishes.deadline.map_or(route.limits.timeout, |wish| wish.min(route.limits.timeout));
        let deadline = arrived + timeout;
        let tenant = key.map(|key| key.name.clone());
        let facts = facts::of(facts::decision_id(), &request, wishes, tenant, deadline);
        let prompt = Arc::new(request.prompt());
        let question = Question { route, request: Arc::new(facts), prompt, arrived, deadline };
        Ok(Self { headers: parts.headers, request, question, body_memory })
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

/// Reads a chat request of at most `limit` bytes, which the lease counts.
async fn chat_request(
    headers: &HeaderMap,
    body: &mut Body,
    limit: usize,
    memory: &mut MemoryLease,
) -> Result<ChatRequest, ApiError> {
    if announced_length(headers).is_some_and(|length| length > limit as u64) {
        return Err(larger_than(limit));
    }
    let body = DecodedBody::new(headers, body, limit)?;
    match tokio::time::timeout(PATIENCE, read(body, limit, memory)).await {
        Ok(read) => read,
        Err(_) => {
            let message = format!("the request body did not arrive within {} s", PATIENCE.as_secs());
            Err(ApiError::request_timeout(message))
        }
    }
}

async fn read(
    mut body: DecodedBody<'_>,
    limit: usize,
    memory: &mut MemoryLease,
) -> Result<ChatRequest, ApiError> {
    let mut scan = RequestScan::new(ScanLimits { body_bytes: limit });
    while let Some(chunk) = body.chunk().await? {
        memory.grow(chunk.len())?;
        scan.push(chunk)?;
    }
    Ok(scan.finish()?)
}

fn larger_than(limit: usize) -> ApiError {
    ApiError::too_large(format!("the request body is larger than {limit} bytes, the limit of this gateway"))
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl From<OutOfMemory> for ApiError {
    fn from(full: OutOfMemory) -> Self {
        Self::overloaded(full.to_string())
    }
}

impl From<BadRequest> for ApiError {
    fn from(bad: BadRequest) -> Self {
        if bad.status == 413 {
            return Self::too_large(bad.message);
        }
        Self::bad_request(bad.code.unwrap_or("invalid_request"), bad.param, bad.message)
    }
}
