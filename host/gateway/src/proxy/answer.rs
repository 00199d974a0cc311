//! From a committed answer to the response that the client sees.

use std::convert::Infallible;
use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use pointsman_wire::openai::client::{AnswerHead, ChatRequest, ErrorBody, FinishReason};
use pointsman_wire::openai::pass_through::with_usage;
use pointsman_wire::openai::provider::{ChatAnswer, UsageCount};
use pointsman_wire::sse;
use serde::de::IgnoredAny;

use super::attempt::{CommittedBody, ErrorAnswer};
use super::race::Won;
use crate::client::headers::Told;
use crate::clock::unix_seconds;
use crate::exchange;
use crate::ledger::Account;

mod streaming;

/// Header that turns off the buffering of a response in nginx and proxies like it.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// Bytes of an error answer in another format that a client gets to see.
const MAX_QUOTED: usize = 1 << 10;
/// A composed text up to this size is sent as one piece.
const AT_ONCE: usize = 64 << 10;

/// Answers the client, and closes the account when the answer is over.
pub(crate) fn respond(won: Won, mut account: Account, mut told: Told, deadline: Option<Instant>) -> Response {
    let Won { committed, call, .. } = won;
    told.model(committed.model.id.as_str());
    match committed.body {
        CommittedBody::Whole { bytes, answer } => {
            let usage = answer.usage_or_estimate(account.input_estimate(call));
            let (model, now) = (&committed.model, committed.first_token_at);
            model.live.answered_whole(&model.expected, now, usage.output_tokens, now - committed.sent_at);
            account.used(call, usage);
            told.cost(account.cost());
            told.latency(account.elapsed(now));
            let bytes = if account.has_plan() { with_usage(bytes, account.usage()) } else { bytes };
            account.keep_answer(|| exchange::Answer::Completion(bytes.clone()));
            account.answered();
            response(committed.headers, "application/json", told, Body::from(bytes))
        }
        CommittedBody::Stream(open) => {
            let call = streaming::AnsweringCall {
                model: committed.model,
                call,
                input_tokens: account.input_estimate(call),
                sent_at: committed.sent_at,
                first_token_at: committed.first_token_at,
                _in_flight: committed.in_flight,
            };
            let pieces =
                stream::unfold(streaming::Streaming::new(open, call, account, deadline), |state| async {
                    let (piece, state) = state.next().await?;
                    Some((Ok::<Bytes, Infallible>(piece), state))
                });
            response(committed.headers, sse::MEDIA_TYPE, told, Body::from_stream(pieces))
        }
        // Answers are asked for as such; a plan's output never gets here.
        CommittedBody::Output { output, .. } => {
            response(HeaderMap::new(), "text/plain", told, output.text.into())
        }
    }
}

/// Answers the client with a text that a plan came to.
pub(crate) fn respond_composed(
    text: String,
    request: &ChatRequest,
    mut account: Account,
    mut told: Told,
) -> Response {
    account.keep_answer(|| exchange::Answer::Text(text.clone()));
    let now = Instant::now();
    told.cost(account.cost());
    told.latency(account.elapsed(now));
    let created = unix_seconds();
    let id = format!("chatcmpl-{}", account.id());
    let head = AnswerHead { id: &id, created, model: &request.model };
    let usage = account.usage();
    let answer = ChatAnswer { count: UsageCount::NONE, output_bytes: text.len() as u64 };
    account.composed(now, answer.usage_or_estimate(0).output_tokens);
    account.answered();
    if request.streaming {
        let events = head.stream_events(text, request.wants_usage.then_some(usage));
        return response(HeaderMap::new(), sse::MEDIA_TYPE, told, body_of(events));
    }
    let body = match text.len() {
        ..=AT_ONCE => Body::from(head.completion(&text, FinishReason::Stop, usage)),
        _ => body_of(head.completion_chunks(text, usage)),
    };
    response(HeaderMap::new(), "application/json", told, body)
}

/// A body whose pieces are made as the client takes them.
fn body_of(pieces: impl Iterator<Item = Bytes> + Send + 'static) -> Body {
    Body::from_stream(stream::iter(pieces.map(Ok::<Bytes, Infallible>)))
}

/// Passes a backend's error answer on. What is not JSON is wrapped in the API's own shape: a
/// browser would take it for a page of the gateway.
pub(crate) fn pass_on(error: ErrorAnswer, told: Told) -> Response {
    let body = match serde_json::from_slice::<IgnoredAny>(&error.body) {
        Ok(_) if !error.is_cut => error.body,
        _ => wrapped(&error),
    };
    let mut response = response(error.headers, "application/json", told, Body::from(body));
    *response.status_mut() = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_GATEWAY);
    response
}

fn wrapped(error: &ErrorAnswer) -> Bytes {
    let text = String::from_utf8_lossy(error.body.get(..MAX_QUOTED).unwrap_or(&error.body));
    let message = match text.trim() {
        "" => format!("the model's server answered with status {}", error.status),
        text => format!("the model's server answered with status {}: {text}", error.status),
    };
    let kind = if error.status < 500 { "invalid_request_error" } else { "server_error" };
    ErrorBody { message: &message, kind, code: Some("backend_error"), param: None }.to_bytes()
}

/// A response whose type the gateway states: the body has been read as being of it, whatever
/// the backend called it.
fn response(mut headers: HeaderMap, content_type: &'static str, told: Told, body: Body) -> Response {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if content_type == sse::MEDIA_TYPE {
        // Caches and buffering proxies would hold events back.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    }
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    told.write(response.headers_mut());
    response
}
