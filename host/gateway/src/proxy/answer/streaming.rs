//! A stream on its way to the client.
//!
//! The headers are gone, so no other model can take over: what goes wrong now
//! is told by an error event in the stream, and the account is closed with what
//! was used until then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pointsman_domain::live::InFlight;
use pointsman_domain::model::Model;
use pointsman_domain::outcome::Fault;
use pointsman_wire::openai::chat::BrokenStream;
use pointsman_wire::openai::error::ErrorBody;

use crate::ledger::{Account, CallId};
use crate::proxy::attempt::OpenStream;

/// The call that is being streamed.
#[derive(Debug)]
pub(super) struct AnsweringCall {
    pub(super) model: Arc<Model>,
    /// The call in the account.
    pub(super) call: CallId,
    /// The estimate of its input tokens.
    pub(super) input_tokens: u32,
    pub(super) sent_at: Instant,
    pub(super) first_token_at: Instant,
    pub(super) _in_flight: InFlight,
}

/// Reason why a stream ends before its answer does.
#[derive(Clone, Copy, Debug)]
enum BreakOff {
    /// The backend broke it.
    Failure,
    /// The backend sent nothing for this long.
    Silence(Duration),
    /// The time for the request is over.
    Deadline,
    /// The gateway may hold no more of it.
    NoMemory,
}

/// A stream between backend and client. Dropped when the client hangs up, which
/// ends the call at the backend and enters what was used.
#[derive(Debug)]
pub(super) struct Streaming {
    stream: Box<OpenStream>,
    /// Pieces for the client that were not sent yet, in order; seldom more than one.
    ready: Vec<Bytes>,
    call: AnsweringCall,
    /// Taken when the stream is over.
    account: Option<Account>,
    deadline: Option<Instant>,
}

impl Streaming {
    pub(super) fn new(
        mut stream: Box<OpenStream>,
        call: AnsweringCall,
        account: Account,
        deadline: Option<Instant>,
    ) -> Self {
        let ready = std::mem::take(&mut stream.ready);
        let mut streaming = Self { stream, ready, call, account: Some(account), deadline };
        streaming.keep_account();
        streaming
    }

    /// The next piece for the client; `None` when all was sent.
    pub(super) async fn next(mut self) -> Option<(Bytes, Self)> {
        loop {
            if !self.ready.is_empty() {
                let piece = self.ready.remove(0);
                return Some((piece, self));
            }
            self.account.as_ref()?;
            self.advance().await;
        }
    }

    /// Takes what comes next from the backend.
    async fn advance(&mut self) {
        let now = Instant::now();
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(now));
        let patience = left.map_or(self.stream.patience, |left| left.min(self.stream.patience));
        match tokio::time::timeout(patience, self.stream.rest.chunk()).await {
            Err(_) if left.is_some_and(|left| left == patience) => {
                self.break_off(BreakOff::Deadline, "the time for the request ran out".to_owned());
            }
            Err(_) => {
                let silence = format!("the model sent nothing for {} ms", patience.as_millis());
                self.break_off(BreakOff::Silence(patience), silence);
            }
            Ok(Some(Err(failure))) => {
                self.break_off(BreakOff::Failure, format!("the model's answer broke off: {failure}"));
            }
            Ok(Some(Ok(chunk))) => self.relay(chunk),
            Ok(None) => self.end(),
        }
    }

    fn relay(&mut self, chunk: Bytes) {
        self.stream.relay.push(chunk, &mut self.ready);
        self.keep_account();
        // What was held until the first content is gone; an event without end is not.
        let held = self.stream.relay.held_bytes();
        if let Err(full) = self.stream.memory.resize(held) {
            self.break_off(BreakOff::NoMemory, full.to_string());
        }
    }

    fn end(&mut self) {
        let ended = self.stream.relay.finish(&mut self.ready);
        self.keep_account();
        match ended {
            Ok(()) => self.complete(),
            // The client has the backend's own error event already.
            Err(BrokenStream::Reported(_)) => {
                self.fail(BreakOff::Failure, "the backend reported an error in its answer".to_owned());
            }
            Err(BrokenStream::Truncated) => {
                let truncated = "the model's answer ended before it was complete".to_owned();
                self.break_off(BreakOff::Failure, truncated);
            }
        }
    }

    fn complete(&mut self) {
        let Some(account) = self.account.take() else { return };
        let now = Instant::now();
        let first_token = self.call.first_token_at - self.call.sent_at;
        let generation = now.saturating_duration_since(self.call.first_token_at);
        let output_tokens = account.usage_of(self.call.call).output_tokens;
        self.call.model.live.streamed(now, output_tokens, first_token, generation);
        account.answered();
    }

    /// Ends the stream with an error event in its own format.
    fn break_off(&mut self, cause: BreakOff, why: String) {
        let error =
            ErrorBody { message: &why, kind: "server_error", code: Some("stream_broken"), param: None };
        self.ready.push(error.to_event());
        self.fail(cause, why);
    }

    fn fail(&mut self, cause: BreakOff, why: String) {
        let Some(account) = self.account.take() else { return };
        let model = &self.call.model;
        let (fault, is_models_fault) = match cause {
            BreakOff::Failure => (Fault::Backend, true),
            BreakOff::Silence(waited) => (Fault::Backend, waited >= model.first_byte.fault_after),
            BreakOff::Deadline => (Fault::Deadline, false),
            BreakOff::NoMemory => (Fault::Backend, false),
        };
        if is_models_fault {
            model.live.failed(Instant::now());
        }
        account.failed(fault, why);
    }

    /// Keeps the account at what was used by now, since the client may go away
    /// before the next piece.
    fn keep_account(&mut self) {
        let Some(account) = &self.account else { return };
        account.used(self.call.call, self.stream.relay.usage_or_estimate(self.call.input_tokens));
    }
}
