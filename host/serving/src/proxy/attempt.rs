//! One call of one model, up to the point of no return.
//!
//! An attempt succeeds when there is something to send to the client: the whole
//! answer, or the first piece of a stream that carries content. Until then it
//! may fail, and another model takes over without the client noticing.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use pointsman_backends::{Backend, BackendBody, BackendCall, BackendResponse};
use pointsman_dialects::answer::{
    AnswerFormat, AnswerRelay, Delivery, InvalidAnswer, RelayOptions, TaskOutput, WholeAnswer,
};
use pointsman_dialects::call::{CallTarget, Untranslatable};
use pointsman_domain::failure::{CallFailure, CallTimeouts, FailureKind};
use pointsman_domain::live::InFlight;
use pointsman_domain::model::Model;
use pointsman_wire::sse;

use super::call::{OutgoingCall, ResponseMode};
use crate::clock::unix_seconds;
use crate::memory::MemoryLease;
use crate::trace_headers::TRACEPARENT;
use opening::StreamOpening;

mod clock;
mod error_answer;
mod opening;
mod reading;
mod token_count;

pub use clock::{CallClock, WaitEnd};
pub use error_answer::ErrorAnswer;
pub use token_count::count_tokens;

/// An answer past the point of no return.
#[derive(Debug)]
pub struct CommittedAnswer {
    /// The model that answers.
    pub model: Arc<Model>,
    /// Time of the call.
    pub sent_at: std::time::Instant,
    /// Time of the first content.
    pub first_token_at: std::time::Instant,
    /// Headers for the client.
    pub headers: HeaderMap,
    /// Members of the client's request that the model's API cannot express.
    pub dropped: Vec<String>,
    /// The content.
    pub body: CommittedBody,
    /// Counts the call as in flight.
    pub in_flight: InFlight,
}

/// The content of an answer.
#[derive(Debug)]
pub enum CommittedBody {
    /// All of it.
    Whole {
        /// The body.
        bytes: Bytes,
        /// Its format.
        format: AnswerFormat,
        /// Its token counts, and its content if it is translated.
        answer: WholeAnswer,
    },
    /// The beginning of a stream.
    Stream(Box<OpenStream>),
    /// The output of a task.
    Output {
        /// Text, finish reason and usage.
        output: TaskOutput,
        /// Counts the output as held.
        memory: MemoryLease,
    },
}

/// A stream whose first content has come.
#[derive(Debug)]
pub struct OpenStream {
    /// Reads usage, content and end of the stream as it passes.
    pub relay: AnswerRelay,
    /// Pieces to send first.
    pub ready: Vec<Bytes>,
    /// The rest of the body.
    pub rest: BackendBody,
    /// Time limits of the call.
    pub clock: CallClock,
    /// Counts what is held of the stream.
    pub memory: MemoryLease,
}

/// An attempt without an answer.
#[derive(Debug)]
pub struct FailedAttempt {
    /// The failure.
    pub failure: CallFailure,
    /// The error answer of the backend, if there is one.
    pub answer: Option<Box<ErrorAnswer>>,
}

impl From<CallFailure> for FailedAttempt {
    fn from(failure: CallFailure) -> Self {
        Self { failure, answer: None }
    }
}

impl From<FailureKind> for FailedAttempt {
    fn from(kind: FailureKind) -> Self {
        CallFailure { kind, retry_after: None }.into()
    }
}

impl From<Untranslatable> for FailedAttempt {
    fn from(untranslatable: Untranslatable) -> Self {
        FailureKind::Untranslatable(match untranslatable {
            Untranslatable::Member(member) => member,
            // The configuration gives a model no operation that its provider's API lacks.
            Untranslatable::Operation(_) => "model".to_owned(),
            Untranslatable::Invalid(error) => error.message,
        })
        .into()
    }
}

impl From<InvalidAnswer> for FailedAttempt {
    fn from(not_an_answer: InvalidAnswer) -> Self {
        match not_an_answer {
            InvalidAnswer::Reported(error) => error.kind().into(),
            other => broken(other.to_string()),
        }
    }
}

/// Settings of one call.
#[derive(Debug)]
pub struct CallSettings<'a> {
    /// Id of the decision.
    pub decision_id: &'a str,
    /// Limit of output tokens for each answer.
    pub max_output_tokens: Option<u32>,
    /// Trace context of this call, in place of the client's.
    pub traceparent: Option<HeaderValue>,
    /// Time limits.
    pub timeouts: CallTimeouts,
}

/// Calls a model and waits for the point of no return.
pub async fn attempt(
    backend: &Backend,
    model: Arc<Model>,
    outgoing: &OutgoingCall<'_>,
    settings: CallSettings<'_>,
    memory: MemoryLease,
) -> Result<CommittedAnswer, FailedAttempt> {
    let in_flight = model.live.track_call();
    let clock = CallClock::start(settings.timeouts);
    let adds_usage = outgoing.content.adds_stream_usage();
    let stream_usage = model.stream_usage && !model.live.refuses_stream_usage();
    let answered = match answer(backend, &model, outgoing, &settings, stream_usage, &clock).await {
        Err(FailedAttempt { answer: Some(error), .. })
            if adds_usage && stream_usage && error.refuses_stream_usage() =>
        {
            model.live.refuse_stream_usage();
            tracing::info!(model = %model.id, "the backend refuses `stream_options`: it is not sent again");
            // Boxed, as is all that few calls need: the future of an attempt is moved.
            Box::pin(answer(backend, &model, outgoing, &settings, false, &clock)).await
        }
        answered => answered,
    };
    let Answering { response: BackendResponse { headers, body, .. }, format, dropped } = answered?;
    let body = content(&headers, body, outgoing, format, clock, memory).await?;
    Ok(CommittedAnswer {
        model,
        sent_at: clock.sent_at(),
        first_token_at: std::time::Instant::now(),
        headers,
        dropped,
        body,
        in_flight,
    })
}

/// Response that is no error.
struct Answering {
    response: BackendResponse,
    format: AnswerFormat,
    /// Members of the client's request that were left out of the call.
    dropped: Vec<String>,
}

/// Sends a call and waits for the head of an answer that is no error.
async fn answer(
    backend: &Backend,
    model: &Model,
    outgoing: &OutgoingCall<'_>,
    settings: &CallSettings<'_>,
    stream_usage: bool,
    clock: &CallClock,
) -> Result<Answering, FailedAttempt> {
    let mut headers = outgoing.headers.clone();
    if let Some(traceparent) = &settings.traceparent {
        headers.insert(TRACEPARENT, traceparent.clone());
    }
    if outgoing.mode.is_streaming() {
        // Some servers choose between a stream and a whole answer by it.
        headers.insert(header::ACCEPT, HeaderValue::from_static(sse::MEDIA_TYPE));
    }
    let dialect = backend.dialect();
    let rendered = outgoing.content.render(&CallTarget {
        dialect,
        upstream_name: &model.upstream_name,
        max_output_tokens: settings.max_output_tokens,
        stream_usage,
        host: backend.host(),
        native_apis: model.native_apis,
        drop_untranslatable: outgoing.drop_untranslatable,
        decision_id: settings.decision_id,
        created: unix_seconds(),
    })?;
    let call = BackendCall {
        model,
        operation: outgoing.content.operation(),
        path: &rendered.path,
        content_type: rendered.content_type,
        body: rendered.body,
        headers,
    };
    let reply = clock.head(pin!(backend.call(call))).await??;
    match reply.status {
        200..300 => Ok(Answering { response: reply, format: rendered.format, dropped: rendered.dropped }),
        _ => Err(Box::pin(ErrorAnswer::read(reply, dialect)).await),
    }
}

/// Reads an answer up to the point of no return.
async fn content(
    headers: &HeaderMap,
    body: BackendBody,
    outgoing: &OutgoingCall<'_>,
    format: AnswerFormat,
    clock: CallClock,
    mut memory: MemoryLease,
) -> Result<CommittedBody, FailedAttempt> {
    let ResponseMode::Answer { streaming, hide_usage, others, answers, .. } = outgoing.mode else {
        let bytes = reading::whole(body, &clock, &mut memory).await?;
        return Ok(CommittedBody::Output { output: format.read_output(&bytes)?, memory });
    };
    let media_type = media_type(headers);
    match format.delivery(media_type, streaming) {
        Delivery::Stream(framing) => {
            let relay = format.relay(RelayOptions {
                hide_usage,
                answers,
                other_usage: others,
                input_tokens: outgoing.content.input_tokens(),
                framing,
            });
            let opening = StreamOpening { body, format, clock, memory };
            let stream = Box::pin(opening.open(relay, media_type)).await?;
            Ok(CommittedBody::Stream(Box::new(stream)))
        }
        Delivery::Whole => {
            let bytes = reading::whole(body, &clock, &mut memory).await?;
            let answer = format.read(&bytes)?;
            Ok(CommittedBody::Whole { bytes: memory.attach_to(bytes), format, answer })
        }
    }
}

/// The type of an answer, without its parameters.
fn media_type(headers: &HeaderMap) -> Option<&str> {
    let stated = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(stated.split(';').next().unwrap_or_default().trim())
}

fn broken(what: String) -> FailedAttempt {
    FailureKind::Broken(what).into()
}
