//! The stream between backend and client.
//!
//! The headers are sent, so no other model can take over: a failure is reported as an error event
//! in the stream, and the accounting is closed with the usage until then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{Stream, stream};
use pointsman_dialects::answer::{BrokenStream, RelayFraming, StreamState};
use pointsman_domain::failure::{CallFailure, FailureKind, TimeLimit};
use pointsman_domain::live::InFlight;
use pointsman_domain::model::Model;
use pointsman_domain::outcome::{FailureCause, Fault};
use pointsman_domain::serving_error::{ErrorKind, ServingError};
use tokio::time::{timeout, timeout_at};

use crate::accounting::{CallId, RequestAccounting};
use crate::proxy::attempt::{OpenStream, WaitEnd};
use crate::response_owners::{ResponseOwner, ResponseOwners};
use crate::timer::Timer;

/// The call that is being streamed.
#[derive(Debug)]
pub(super) struct AnsweringCall {
    pub(super) model: Arc<Model>,
    /// The call in the accounting.
    pub(super) call: CallId,
    /// The estimate of its input tokens.
    pub(super) input_tokens: u32,
    pub(super) sent_at: Instant,
    pub(super) first_token_at: Instant,
    pub(super) _in_flight: InFlight,
}

/// Reason why a stream ends before its answer does.
#[derive(Debug)]
enum BreakOff {
    /// The call failed.
    Call(FailureKind),
    /// The time for the request is over.
    Deadline,
}

/// Longest wait for the end of a body after `[DONE]`. A connection whose body was read to its
/// end can be used again.
const AFTER_DONE: Duration = Duration::from_millis(100);

/// Longest wait after an event with the last reason to finish, or with an error, for what may
/// follow: usage and `[DONE]`. Some servers end neither the stream nor the connection.
const AFTER_FINISH: Duration = Duration::from_secs(1);

/// The stream of an answer. Dropping it, because the client hangs up, ends the call at the backend
/// and records the usage.
#[derive(Debug)]
pub struct AnswerStream {
    stream: Box<OpenStream>,
    /// Pieces for the client that are not sent yet, in order; seldom more than one.
    ready: Vec<Bytes>,
    call: AnsweringCall,
    owners: Arc<ResponseOwners>,
    /// True once the owner of this response is recorded.
    has_owner: bool,
    /// Taken when the answer is over.
    accounting: Option<RequestAccounting>,
    /// End of the wait for what may follow the answer.
    read_until: Option<Instant>,
    /// True once nothing more of the body is of use.
    is_read: bool,
    /// True if the client is to see that the answer is incomplete by the end of its connection.
    is_cut_off: bool,
    deadline: Option<Instant>,
    timer: Timer,
}

/// An answer that ends before it is complete and has no place for an error.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the answer broke off")]
pub struct CutOff;

impl Drop for AnswerStream {
    /// A stream that is still open after its deadline was not taken by its client in time.
    /// Before the deadline, the client hung up, which the accounting records on its own.
    fn drop(&mut self) {
        if self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            self.fail(BreakOff::Deadline, "the time for the request ran out".to_owned());
        }
    }
}

impl AnswerStream {
    pub(super) fn new(
        mut stream: Box<OpenStream>,
        call: AnsweringCall,
        accounting: RequestAccounting,
        owners: Arc<ResponseOwners>,
        deadline: Option<Instant>,
    ) -> Self {
        let ready = std::mem::take(&mut stream.ready);
        let mut this = Self {
            stream,
            ready,
            call,
            owners,
            has_owner: false,
            accounting: Some(accounting),
            read_until: None,
            is_read: false,
            is_cut_off: false,
            deadline,
            timer: Timer::new(),
        };
        this.update();
        this
    }

    /// Returns the division of the answer into parts.
    pub fn framing(&self) -> RelayFraming {
        self.stream.relay.framing()
    }

    /// Returns the pieces for the client. An error is the last item, and ends the connection.
    pub fn into_pieces(self: Box<Self>) -> impl Stream<Item = Result<Bytes, CutOff>> + Send {
        stream::unfold(self, |stream| stream.next())
    }

    /// Returns the next piece for the client; `None` when all were sent.
    async fn next(mut self: Box<Self>) -> Option<(Result<Bytes, CutOff>, Box<Self>)> {
        loop {
            if !self.ready.is_empty() {
                let piece = self.ready.remove(0);
                return Some((Ok(piece), self));
            }
            if std::mem::take(&mut self.is_cut_off) {
                return Some((Err(CutOff), self));
            }
            if self.is_read {
                return None;
            }
            self.advance().await;
        }
    }

    /// Reads the next piece from the backend.
    async fn advance(&mut self) {
        match self.stream.relay.state() {
            StreamState::Waiting | StreamState::Answering => self.advance_answer().await,
            StreamState::Finished => self.advance_end().await,
            StreamState::Done => {
                self.is_read = true;
                let _ = timeout(AFTER_DONE, self.read_to_end()).await;
            }
        }
    }

    async fn advance_answer(&mut self) {
        let end = self.stream.clock.piece_end();
        let deadline = self.deadline.map(tokio::time::Instant::from);
        let until = end.map(|end| end.at).into_iter().chain(deadline).min();
        let piece = self.stream.rest.chunk();
        let piece = match until {
            Some(until) => self.timer.wait(until, piece).await,
            None => Some(piece.await),
        };
        match (piece, end) {
            (Some(Some(Ok(chunk))), _) => self.relay(chunk),
            (Some(None), _) => self.end(),
            (Some(Some(Err(CallFailure { kind, .. }))), _) => {
                let why = format!("the model's answer broke off: {kind}");
                self.break_off(BreakOff::Call(kind), why);
            }
            (None, Some(end)) if until == Some(end.at) => self.time_out(end),
            (None, _) => {
                self.break_off(BreakOff::Deadline, "the time for the request ran out".to_owned());
            }
        }
    }

    fn time_out(&mut self, end: WaitEnd) {
        let kind = end.failure();
        let why = match &kind {
            FailureKind::Timeout { limit: TimeLimit::Silence, waited } => {
                format!("the model sent nothing for {} ms", waited.as_millis())
            }
            kind => format!("the model gave {kind}"),
        };
        self.break_off(BreakOff::Call(kind), why);
    }

    /// Reads what follows a complete answer. Its end is not worth a failure.
    async fn advance_end(&mut self) {
        let until = *self.read_until.get_or_insert_with(|| Instant::now() + AFTER_FINISH);
        match timeout_at(until.into(), self.stream.rest.chunk()).await {
            Ok(Some(Ok(chunk))) => self.relay(chunk),
            Ok(Some(Err(_)) | None) | Err(_) => self.end(),
        }
        // A further choice may have begun.
        self.read_until = self.read_until.filter(|_| self.stream.relay.state() == StreamState::Finished);
    }

    /// Reads the rest of the body. Only the end of an event goes to the client.
    async fn read_to_end(&mut self) {
        while let Some(Ok(chunk)) = self.stream.rest.chunk().await {
            self.stream.relay.push(chunk, &mut self.ready);
        }
    }

    fn relay(&mut self, chunk: Bytes) {
        self.stream.relay.push(chunk, &mut self.ready);
        self.update();
        // What was held until the first content is gone; an event without end is not.
        let held = self.stream.relay.held_bytes();
        if let Err(full) = self.stream.memory.resize(held) {
            self.break_off(BreakOff::Call(FailureKind::NoMemory), full.to_string());
        }
    }

    /// Updates the accounting after a piece. Clients may hang up as soon as they have the last event
    /// of an answer.
    fn update(&mut self) {
        self.record_owner();
        self.record_usage();
        if self.stream.relay.state() == StreamState::Done || self.stream.relay.error().is_some() {
            self.close(self.stream.relay.check());
        }
    }

    /// Ends the stream: the body has ended, or the rest of it is of no use.
    fn end(&mut self) {
        self.is_read = true;
        let ended = self.stream.relay.finish(&mut self.ready);
        self.record_owner();
        self.record_usage();
        self.close(ended);
    }

    /// Closes the accounting of an answer that has ended.
    fn close(&mut self, ended: Result<(), BrokenStream>) {
        match ended {
            Ok(()) => self.complete(),
            // The client has the backend's own error event already.
            Err(BrokenStream::Reported(error, _)) => {
                let why = "the backend reported an error in its answer".to_owned();
                self.fail(BreakOff::Call(error.kind()), why);
            }
            Err(BrokenStream::Truncated) => {
                let truncated = "the model's answer ended before it was complete".to_owned();
                self.break_off(BreakOff::Call(FailureKind::Broken(truncated.clone())), truncated);
            }
        }
    }

    fn complete(&mut self) {
        let Some(accounting) = self.accounting.take() else { return };
        let now = Instant::now();
        let first_token = self.call.first_token_at - self.call.sent_at;
        let generation = now.saturating_duration_since(self.call.first_token_at);
        let output_tokens = accounting.calls().usage_of(self.call.call).output_tokens;
        self.call.model.live.record_stream(now, output_tokens, first_token, generation);
        accounting.answered();
    }

    /// Ends the stream with an error event in its own format.
    fn break_off(&mut self, cause: BreakOff, why: String) {
        let error = ServingError::new(ErrorKind::StreamBroken, why.clone());
        match self.stream.relay.error_event(&error) {
            Some(event) => self.ready.push(event),
            None => self.is_cut_off = true,
        }
        self.is_read = true;
        self.fail(cause, why);
    }

    fn fail(&mut self, cause: BreakOff, why: String) {
        let Some(accounting) = self.accounting.take() else { return };
        let model = &self.call.model;
        let (fault, cause) = match cause {
            BreakOff::Call(kind) => {
                if kind.counts_against_health(&model.time_limits.fault_after) {
                    model.live.record_failure(Instant::now());
                }
                (Fault::Backend, FailureCause::Model)
            }
            BreakOff::Deadline => (Fault::Deadline, accounting.deadline_cause()),
        };
        accounting.failed(fault, cause, why);
    }

    /// Records the owner of a response whose provider keeps it, and of its items once they are known.
    fn record_owner(&mut self) {
        let Some(accounting) = &self.accounting else { return };
        let item_ids = self.stream.relay.take_item_ids();
        let id = self.stream.relay.response_id().filter(|_| !self.has_owner);
        if id.is_none() && item_ids.is_empty() {
            return;
        }
        let owner = ResponseOwner { model: self.call.model.id.clone(), key: accounting.key() };
        self.owners.record_items(&item_ids, &owner);
        if let Some(id) = id {
            self.owners.record(id, owner);
            self.has_owner = true;
        }
    }

    /// Records the usage so far, since the client may hang up before the next piece.
    fn record_usage(&mut self) {
        let Some(accounting) = &self.accounting else { return };
        accounting
            .calls()
            .set_usage(self.call.call, self.stream.relay.usage_or_estimate(self.call.input_tokens));
    }
}
