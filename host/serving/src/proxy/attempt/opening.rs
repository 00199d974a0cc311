//! The beginning of a stream, up to its first content.

use bytes::{Bytes, BytesMut};
use pointsman_backends::BackendBody;
use pointsman_dialects::answer::{AnswerFormat, AnswerRelay, InvalidAnswer, RelayFraming, StreamState};
use pointsman_domain::failure::CallFailure;
use pointsman_wire::sse;

use super::clock::CallClock;
use super::{FailedAttempt, OpenStream, broken, reading};
use crate::memory::MemoryLease;

/// A stream whose head has arrived.
pub(super) struct StreamOpening {
    pub(super) body: BackendBody,
    pub(super) format: AnswerFormat,
    pub(super) clock: CallClock,
    pub(super) memory: MemoryLease,
}

impl StreamOpening {
    /// Reads a stream until there is content, until it ends as it should without any, or
    /// until as much has come as may be held.
    pub(super) async fn open(
        mut self,
        mut relay: AnswerRelay,
        media_type: Option<&str>,
    ) -> Result<OpenStream, FailedAttempt> {
        let (mut beginning, mut passed) = (Beginning::default(), Vec::new());
        let is_stated = media_type.is_some_and(|stated| stated.eq_ignore_ascii_case(sse::MEDIA_TYPE));
        let mut unread = match relay.framing() {
            RelayFraming::Events if !is_stated => Some(self.recognise(media_type).await?),
            RelayFraming::Events | RelayFraming::Bytes => None,
        };
        let mut is_full = false;
        while relay.state() == StreamState::Waiting && !is_full {
            let chunk = match unread.take() {
                Some(chunk) => chunk,
                None => match self.clock.first_piece(&mut self.body).await? {
                    Some(chunk) => chunk,
                    None => break,
                },
            };
            relay.push(chunk, &mut passed);
            beginning.extend(&mut passed);
            let held = beginning.held_bytes(&relay);
            self.memory.resize(held).map_err(CallFailure::from)?;
            is_full = held >= self.memory.limits().before_content;
        }
        if let Some(error) = relay.error() {
            return Err(error.kind().into());
        }
        let is_empty = match relay.state() {
            StreamState::Waiting => !is_full,
            StreamState::Done => !relay.has_content(),
            StreamState::Answering | StreamState::Finished => false,
        };
        if is_empty {
            return Err(broken("the stream ended before any content".to_owned()));
        }
        let (Self { body, clock, memory, .. }, ready) = (self, beginning.into_pieces());
        Ok(OpenStream { relay, ready, rest: body, clock, memory })
    }

    /// Reads the first bytes of a body that is not said to be a stream of events: some
    /// servers state another type. An error in JSON is one.
    async fn recognise(&mut self, media_type: Option<&str>) -> Result<Bytes, FailedAttempt> {
        let mut beginning = BytesMut::new();
        while let Some(chunk) = self.clock.first_piece(&mut self.body).await? {
            beginning.extend_from_slice(&chunk);
            match sse::is_event_stream(&beginning) {
                Some(true) => return Ok(beginning.freeze()),
                Some(false) => break,
                None if beginning.len() > self.memory.limits().before_content => break,
                None => {}
            }
        }
        let first = beginning.freeze();
        let whole = reading::rest(first, &mut self.body, &self.clock, &mut self.memory).await?;
        match self.format.read(&whole) {
            Err(reported @ InvalidAnswer::Reported(_)) => Err(reported.into()),
            _ => {
                let media_type = media_type.unwrap_or("nothing");
                Err(broken(format!("asked for {}, got {media_type}", sse::MEDIA_TYPE)))
            }
        }
    }
}

/// The beginning of a stream, held until its first content.
#[derive(Default)]
struct Beginning {
    /// The first piece as it came: nearly always the only one.
    first: Bytes,
    /// Copies of the others: each would keep the buffer that it was read into.
    others: BytesMut,
}

impl Beginning {
    /// Adds what the relay passes on.
    fn extend(&mut self, pieces: &mut Vec<Bytes>) {
        for piece in pieces.drain(..) {
            if self.first.is_empty() {
                self.first = piece;
            } else {
                self.others.extend_from_slice(&piece);
            }
        }
    }

    /// Bytes that it holds, with those of the event under way.
    fn held_bytes(&self, relay: &AnswerRelay) -> usize {
        self.first.len() + self.others.capacity() + relay.held_bytes()
    }

    /// All of it, in order.
    fn into_pieces(self) -> Vec<Bytes> {
        let pieces = [self.first, self.others.freeze()];
        pieces.into_iter().filter(|piece| !piece.is_empty()).collect()
    }
}
