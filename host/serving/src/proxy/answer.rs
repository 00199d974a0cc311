//! From a committed answer to the response for the client.

use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use pointsman_domain::serving_error::ServingError;
use pointsman_wire::openai::client::ChatRequest;
use pointsman_wire::openai::client::{AnswerHead, FinishReason};
use pointsman_wire::openai::pass_through::with_usage;
use pointsman_wire::openai::provider::ChatAnswer;
use pointsman_wire::usage_count::UsageCount;

use super::attempt::{CommittedBody, ErrorAnswer};
use super::race::WinningAttempt;
use crate::accounting::{RequestAccounting, RequestReport};
use crate::captured_content::CapturedAnswer;
use crate::clock::unix_seconds;

mod stream;

pub use stream::AnswerStream;

/// A composed text up to this size is sent as one piece.
const AT_ONCE: usize = 64 << 10;

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
    /// A whole answer in pieces, which are made as the client reads them.
    Pieces(Box<dyn Iterator<Item = Bytes> + Send>),
    /// Events of a stream that the gateway composes.
    Events(Box<dyn Iterator<Item = Bytes> + Send>),
    /// Events of a backend's stream.
    Stream(Box<AnswerStream>),
    /// A plain text.
    Text(String),
}

/// Returns the response with a model's answer. The accounting is closed when the answer ends.
pub fn respond(won: WinningAttempt, mut accounting: RequestAccounting, deadline: Instant) -> Response {
    let WinningAttempt { committed, call, .. } = won;
    let report = RequestReport { model: Some(committed.model.id.clone()), ..accounting.report() };
    let (report, body) = match committed.body {
        CommittedBody::Whole { bytes, answer } => {
            let usage = answer.usage_or_estimate(accounting.calls().input_estimate(call));
            let (model, now) = (&committed.model, committed.first_token_at);
            model.live.record_whole_answer(
                &model.expected,
                now,
                usage.output_tokens,
                now - committed.sent_at,
            );
            accounting.calls().set_usage(call, usage);
            let report = with_totals(report, &accounting, now);
            let has_plan = accounting.decisions().has_plan();
            let bytes = if has_plan { with_usage(bytes, accounting.calls().usage()) } else { bytes };
            accounting.record_answer(|| CapturedAnswer::Completion(bytes.clone()));
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
            let stream = AnswerStream::new(open, call, accounting, Some(deadline));
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
    request: &ChatRequest,
    mut accounting: RequestAccounting,
    deadline: Instant,
) -> Response {
    accounting.record_answer(|| CapturedAnswer::Text(text.clone()));
    let now = Instant::now();
    let report = with_totals(accounting.report(), &accounting, now);
    let id = format!("chatcmpl-{}", accounting.id());
    let head = AnswerHead { id: &id, created: unix_seconds(), model: &request.model };
    let usage = accounting.calls().usage();
    let answer = ChatAnswer { count: UsageCount::NONE, output_bytes: text.len() as u64 };
    accounting.calls().record_composed(now, answer.usage_or_estimate(0).output_tokens);
    accounting.answered();
    let body = match text.len() {
        _ if request.streaming => {
            AnswerBody::Events(Box::new(head.stream_events(text, request.wants_usage.then_some(usage))))
        }
        ..=AT_ONCE => AnswerBody::Whole(head.completion(&text, FinishReason::Stop, usage)),
        _ => AnswerBody::Pieces(Box::new(head.completion_chunks(text, usage))),
    };
    Response { report, content: ResponseContent::Answer { headers: HeaderMap::new(), body, deadline } }
}

/// Adds the cost and the latency of a whole answer.
fn with_totals(report: RequestReport, accounting: &RequestAccounting, now: Instant) -> RequestReport {
    RequestReport { cost: Some(accounting.calls().cost()), latency: Some(accounting.elapsed(now)), ..report }
}
