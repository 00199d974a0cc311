//! From a committed answer to the response for the client.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use pointsman_dialects::answer::AnswerCount;
use pointsman_dialects::form::AnswerIdentity;
use pointsman_dialects::request::{ClientConversation, ComposedAnswer};
use pointsman_domain::serving_error::ServingError;

use super::attempt::{CommittedBody, ErrorAnswer};
use super::race::WinningAttempt;
use crate::accounting::{RequestAccounting, RequestReport};
use crate::captured_content::CapturedAnswer;
use crate::clock::unix_seconds;
use crate::response_owners::{ResponseOwner, ResponseOwners};

mod stream;

pub use stream::{AnswerStream, CutOff};

/// Response to a request, for a client API to send.
pub struct Response {
    /// Summary for the headers.
    pub report: RequestReport,
    /// The content.
    pub content: ResponseContent,
}

/// Content of a [`Response`].
pub enum ResponseContent {
    /// An answer.
    Answer {
        /// Headers of the backend to pass on.
        headers: HeaderMap,
        /// The body.
        body: AnswerBody,
        /// Time by which the body has to end, whether or not the client reads it.
        deadline: Instant,
    },
    /// An error of the gateway.
    Error(ServingError),
    /// An error of a backend to pass on.
    BackendError(Box<ErrorAnswer>),
}

/// Body of an answer in the format of the client's API.
pub enum AnswerBody {
    /// A whole answer.
    Whole(Bytes),
    /// An answer that the gateway composes.
    Composed(ComposedAnswer),
    /// Events of a backend's stream.
    Stream(Box<AnswerStream>),
    /// A plain text.
    Text(String),
}

/// Returns the response with a model's answer. The accounting is closed when the answer ends.
pub fn respond(
    won: WinningAttempt,
    mut accounting: RequestAccounting,
    owners: &Arc<ResponseOwners>,
    deadline: Instant,
) -> Response {
    let WinningAttempt { committed, call, .. } = won;
    let report = RequestReport {
        model: Some(committed.model.id.clone()),
        dropped: committed.dropped,
        ..accounting.report()
    };
    let (report, body) = match committed.body {
        CommittedBody::Whole { bytes, format, answer } => {
            let usage = answer.count.usage_or_estimate(accounting.calls().input_estimate(call));
            let (model, now) = (&committed.model, committed.first_token_at);
            model.live.record_whole_answer(
                &model.expected,
                now,
                usage.output_tokens,
                now - committed.sent_at,
            );
            accounting.calls().set_usage(call, usage);
            if let Some(id) = &answer.response_id {
                let owner = ResponseOwner { model: model.id.clone(), key: accounting.key() };
                owners.record_items(&answer.item_ids, &owner);
                owners.record(id, owner);
            }
            let report = with_totals(report, &accounting, now);
            let total = accounting.decisions().has_plan().then(|| accounting.calls().usage());
            let bytes = format.render(bytes, &answer, usage, total);
            accounting.record_answer(|| CapturedAnswer::Model(format.clone(), bytes.clone()));
            accounting.answered();
            (report, AnswerBody::Whole(bytes))
        }
        CommittedBody::Stream(open) => {
            let call = stream::AnsweringCall {
                model: committed.model,
                call,
                input_tokens: accounting.calls().input_estimate(call),
                sent_at: committed.sent_at,
                first_token_at: committed.first_token_at,
                _in_flight: committed.in_flight,
            };
            let stream = AnswerStream::new(open, call, accounting, Arc::clone(owners), Some(deadline));
            (report, AnswerBody::Stream(Box::new(stream)))
        }
        // Answers are requested as such; the output of a task never gets here.
        CommittedBody::Output { output, .. } => (report, AnswerBody::Text(output.text)),
    };
    Response { report, content: ResponseContent::Answer { headers: committed.headers, body, deadline } }
}

/// Returns the response with a text that a plan composed.
pub fn respond_composed(
    text: String,
    request: &ClientConversation,
    mut accounting: RequestAccounting,
    deadline: Instant,
) -> Response {
    accounting.record_answer(|| CapturedAnswer::Text(text.clone()));
    let now = Instant::now();
    let report = with_totals(accounting.report(), &accounting, now);
    let identity = AnswerIdentity {
        id: accounting.id().to_owned(),
        created: unix_seconds(),
        model: request.model().to_owned(),
    };
    let usage = accounting.calls().usage();
    let count = AnswerCount { output_bytes: text.len() as u64, ..AnswerCount::default() };
    accounting.calls().record_composed(now, count.usage_or_estimate(0).output_tokens);
    accounting.answered();
    let body = AnswerBody::Composed(request.composed_answer(identity, text, usage));
    Response { report, content: ResponseContent::Answer { headers: HeaderMap::new(), body, deadline } }
}

/// Adds the cost and the latency of a whole answer.
fn with_totals(report: RequestReport, accounting: &RequestAccounting, now: Instant) -> RequestReport {
    RequestReport { cost: Some(accounting.calls().cost()), latency: Some(accounting.elapsed(now)), ..report }
}
