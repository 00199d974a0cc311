//! From a committed answer to the response that the client sees.

use std::convert::Infallible;
use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use pointsman_domain::outcome::Ending;

use super::attempt::{Committed, CommittedBody, ErrorAnswer};
use crate::client::headers::Told;
use crate::ledger::Account;

mod streaming;

/// Answers the client, and closes the account when the answer is over.
pub(crate) fn respond(
    committed: Committed,
    account: Account,
    mut told: Told,
    deadline: Option<Instant>,
) -> Response {
    told.model(committed.model.id.as_str());
    told.attempts(account.attempts());
    match committed.body {
        CommittedBody::Whole { bytes, answer } => {
            let mut account = account;
            let usage = answer.usage_or_estimate(account.input_tokens());
            let (model, now) = (&committed.model, committed.first_token_at);
            model.live.answered_whole(&model.expected, now, usage.output_tokens, now - committed.sent_at);
            account.used(usage);
            told.cost(account.cost());
            told.latency(account.elapsed(now));
            account.close(Ending::Answered, None);
            response(committed.headers, "application/json", told, Body::from(bytes))
        }
        CommittedBody::Stream(open) => {
            let call = streaming::AnsweringCall {
                model: committed.model,
                sent_at: committed.sent_at,
                first_token_at: committed.first_token_at,
                _in_flight: committed.in_flight,
            };
            let pieces =
                stream::unfold(streaming::Streaming::new(open, call, account, deadline), |state| async {
                    let (piece, state) = state.next().await?;
                    Some((Ok::<Bytes, Infallible>(piece), state))
                });
            response(committed.headers, "text/event-stream", told, Body::from_stream(pieces))
        }
    }
}

/// Passes a backend's error answer on, in its own words.
pub(crate) fn pass_on(error: ErrorAnswer, told: Told) -> Response {
    let mut response = response(error.headers, "application/json", told, Body::from(error.body));
    *response.status_mut() = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_GATEWAY);
    response
}

fn response(headers: HeaderMap, content_type: &'static str, told: Told, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    response.headers_mut().entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
    told.write(response.headers_mut());
    response
}
