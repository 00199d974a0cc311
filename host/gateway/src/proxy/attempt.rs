//! One call of one model, up to the point of no return.
//!
//! An attempt succeeds when there is something to send to the client: the whole
//! answer, or the first piece of a stream that carries content. Until then it
//! may fail, and another model takes over without the client noticing.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use pointsman_backends::{Backend, Call, Reply, ReplyBody, retry_after};
use pointsman_domain::failure::{CallFailure, FailureKind};
use pointsman_domain::live::InFlight;
use pointsman_domain::model::Model;
use pointsman_domain::model::Operation;
use pointsman_wire::openai::chat::{Answer, StreamRelay};
use pointsman_wire::openai::output::Output;
use tokio::time::{Instant, timeout_at};

use super::outgoing::{Outgoing, Wanted};
use crate::memory::MemoryLease;
use crate::trace_headers::TRACEPARENT;
use reading::Beginning;

mod reading;

/// The largest error answer that is passed to the client.
const MAX_ERROR: usize = 64 << 10;

/// An answer that the client may have.
#[derive(Debug)]
pub(crate) struct Committed {
    /// Who answers.
    pub(crate) model: Arc<Model>,
    /// When the call was made.
    pub(crate) sent_at: std::time::Instant,
    /// When the first content came.
    pub(crate) first_token_at: std::time::Instant,
    /// Headers for the client.
    pub(crate) headers: HeaderMap,
    /// The content.
    pub(crate) body: CommittedBody,
    /// Counts the call as in flight.
    pub(crate) in_flight: InFlight,
}

/// The content of an answer.
#[derive(Debug)]
pub(crate) enum CommittedBody {
    /// All of it.
    Whole {
        /// JSON.
        bytes: Bytes,
        /// What it says of itself.
        answer: Answer,
    },
    /// The beginning of a stream.
    Stream(Box<OpenStream>),
    /// What a plan goes on with.
    Output {
        /// The text and what goes with it.
        output: Output,
        /// Counts the output as held.
        memory: MemoryLease,
    },
}

/// A stream whose first content has come.
#[derive(Debug)]
pub(crate) struct OpenStream {
    /// Reads along: usage, content, end.
    pub(crate) relay: StreamRelay,
    /// What is to be sent before anything else.
    pub(crate) ready: Vec<Bytes>,
    /// What follows.
    pub(crate) rest: ReplyBody,
    /// Longest silence between two pieces.
    pub(crate) patience: Duration,
    /// Counts what is held of the stream.
    pub(crate) memory: MemoryLease,
}

/// An attempt without an answer.
#[derive(Debug)]
pub(crate) struct Failed {
    /// Why.
    pub(crate) failure: CallFailure,
    /// The backend's own words, where the client is at fault.
    pub(crate) words: Option<Box<ErrorAnswer>>,
}

/// A backend's error answer.
#[derive(Debug)]
pub(crate) struct ErrorAnswer {
    /// Its status.
    pub(crate) status: u16,
    /// Its headers for the client.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) body: Bytes,
}

impl From<CallFailure> for Failed {
    fn from(failure: CallFailure) -> Self {
        Self { failure, words: None }
    }
}

impl From<FailureKind> for Failed {
    fn from(kind: FailureKind) -> Self {
        CallFailure { kind, retry_after: None }.into()
    }
}

/// Calls a model and waits for the point of no return. The model hears of the span
/// of this call, if there is one, in place of the client's.
pub(crate) async fn attempt(
    backend: &Backend,
    model: Arc<Model>,
    outgoing: &Outgoing<'_>,
    max_output_tokens: Option<u32>,
    traceparent: Option<HeaderValue>,
    patience: Duration,
    mut memory: MemoryLease,
) -> Result<Committed, Failed> {
    let mut headers = outgoing.headers.clone();
    if let Some(traceparent) = traceparent {
        headers.insert(TRACEPARENT, traceparent);
    }
    let in_flight = model.live.begin();
    let sent_at = Instant::now();
    let until = sent_at + patience;
    let call = Call {
        model: &model,
        operation: outgoing.payload.operation(),
        content_type: outgoing.payload.content_type(),
        body: outgoing.payload.body_for(&model.upstream_name, max_output_tokens),
        headers,
    };
    let reply = in_time(until, patience, backend.call(call)).await??;
    if !(200..300).contains(&reply.status) {
        return Err(error_answer(reply, until, patience).await);
    }
    let Reply { headers, body, .. } = reply;
    let body = match outgoing.wanted {
        Wanted::Answer { streaming: true, hide_usage, others, .. } => {
            check_event_stream(&headers)?;
            let relay = StreamRelay::new(hide_usage).adding(others);
            CommittedBody::Stream(Box::new(open_stream(relay, body, until, patience, memory).await?))
        }
        Wanted::Answer { streaming: false, .. } => {
            let bytes = in_time(until, patience, reading::whole(body, &mut memory)).await??;
            whole_answer(bytes, memory)?
        }
        Wanted::Output => {
            let bytes = in_time(until, patience, reading::whole(body, &mut memory)).await??;
            output(outgoing.payload.operation(), &bytes, memory)?
        }
    };
    Ok(Committed {
        model,
        sent_at: sent_at.into_std(),
        first_token_at: std::time::Instant::now(),
        headers,
        body,
        in_flight,
    })
}

async fn in_time<T>(
    until: Instant,
    patience: Duration,
    work: impl Future<Output = T>,
) -> Result<T, CallFailure> {
    timeout_at(until, work)
        .await
        .map_err(|_| CallFailure { kind: FailureKind::Timeout(patience), retry_after: None })
}

async fn error_answer(reply: Reply, until: Instant, patience: Duration) -> Failed {
    let Reply { status, headers, body } = reply;
    let failure = CallFailure {
        kind: FailureKind::Status(status),
        retry_after: retry_after(&headers, std::time::SystemTime::now()),
    };
    let words = match in_time(until, patience, body.whole(MAX_ERROR)).await {
        Ok(Ok(body)) => Some(Box::new(ErrorAnswer { status, headers, body })),
        _ => None,
    };
    Failed { failure, words }
}

fn check_event_stream(headers: &HeaderMap) -> Result<(), Failed> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("nothing");
    if content_type.trim_start().starts_with("text/event-stream") {
        return Ok(());
    }
    Err(broken(format!("asked for text/event-stream, got {content_type}")))
}

fn whole_answer(bytes: Bytes, memory: MemoryLease) -> Result<CommittedBody, Failed> {
    match Answer::read(&bytes) {
        Ok(answer) => Ok(CommittedBody::Whole { bytes: memory.attach_to(bytes), answer }),
        Err(not_an_answer) => Err(broken(not_an_answer.to_string())),
    }
}

fn output(operation: Operation, bytes: &[u8], memory: MemoryLease) -> Result<CommittedBody, Failed> {
    let read = match operation {
        Operation::Chat => Output::of_chat(bytes),
        Operation::Transcription => Output::of_transcription(bytes),
        Operation::Embedding => Output::of_embedding(bytes),
    };
    read.map(|output| CommittedBody::Output { output, memory })
        .map_err(|not_an_answer| broken(not_an_answer.to_string()))
}

/// Reads a stream until there is content, until it ends as it should without any, or
/// until as much has come as may be held.
async fn open_stream(
    mut relay: StreamRelay,
    mut body: ReplyBody,
    until: Instant,
    patience: Duration,
    mut memory: MemoryLease,
) -> Result<OpenStream, Failed> {
    let (mut beginning, mut passed) = (Beginning::default(), Vec::new());
    let mut is_full = false;
    while !relay.meaningful_bytes_seen() && !relay.done() && !is_full {
        let Some(chunk) = in_time(until, patience, body.chunk()).await? else { break };
        relay.push(chunk?, &mut passed);
        beginning.extend(&mut passed);
        let held = beginning.held_bytes(&relay);
        memory.resize(held).map_err(CallFailure::from)?;
        is_full = held >= memory.limits().before_content;
        // In the backend's words there may be the client's.
        if relay.error().is_some() {
            return Err(broken("the stream begins with an error".to_owned()));
        }
    }
    if relay.meaningful_bytes_seen() || relay.done() || is_full {
        let ready = beginning.into_pieces();
        return Ok(OpenStream { relay, ready, rest: body, patience, memory });
    }
    Err(broken("the stream ended before any content".to_owned()))
}

fn broken(what: String) -> Failed {
    FailureKind::Broken(what).into()
}
