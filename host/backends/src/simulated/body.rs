//! Bodies of simulated responses, sent at the speed of the model.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep_until};

use super::places::Place;

/// Body of a simulated response.
#[derive(Debug)]
pub(crate) struct SimulatedBody {
    kind: BodyKind,
    /// Place of the call, which is free when the body is dropped or has ended.
    place: Option<Place>,
}

#[derive(Debug)]
enum BodyKind {
    Whole(Option<Bytes>),
    Stream(Box<PacedStream>),
}

/// Chunks of a stream, made one by one as their time comes.
pub(super) trait ChunkSource: fmt::Debug + Send + Sync {
    /// Returns the number of the token, counted from 0, whose time has to come before the next
    /// chunk is sent; `None` at the end of the stream.
    fn next_token(&self) -> Option<usize>;

    /// Returns the next chunk. It may have all tokens before `due`.
    fn next_chunk(&mut self, due: usize) -> Bytes;
}

#[derive(Debug)]
struct PacedStream {
    source: Box<dyn ChunkSource>,
    pace: Pace,
}

/// Schedule of the tokens.
#[derive(Debug)]
struct Pace {
    start: Instant,
    per_token: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl SimulatedBody {
    pub(super) fn whole(body: Bytes) -> Self {
        Self { kind: BodyKind::Whole(Some(body)), place: None }
    }

    /// Starts a stream whose first token is due now.
    pub(super) fn stream(source: impl ChunkSource + 'static, per_token: Duration) -> Self {
        let pace = Pace { start: Instant::now(), per_token, timer: None };
        Self { kind: BodyKind::Stream(Box::new(PacedStream { source: Box::new(source), pace })), place: None }
    }

    /// Holds the place of the call until the end.
    pub(super) fn hold(&mut self, place: Option<Place>) {
        self.place = place;
    }

    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let chunk = match &mut self.kind {
            BodyKind::Whole(body) => body.take(),
            BodyKind::Stream(stream) => ready!(stream.poll_chunk(cx)),
        };
        if chunk.is_none() {
            self.place = None;
        }
        Poll::Ready(chunk)
    }
}

impl PacedStream {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(token) = self.source.next_token() else { return Poll::Ready(None) };
        let due = ready!(self.pace.poll_due(token, cx));
        Poll::Ready(Some(self.source.next_chunk(due)))
    }
}

impl Pace {
    /// Waits until a token is due, and returns the number of tokens that are due by then. One
    /// timer serves the whole stream; there is none at unlimited speed.
    fn poll_due(&mut self, token: usize, cx: &mut Context<'_>) -> Poll<usize> {
        if self.per_token.is_zero() {
            return Poll::Ready(token + 1);
        }
        let due_at = self.start + self.per_token * token as u32;
        if Instant::now() < due_at {
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due_at)));
            if timer.deadline() != due_at {
                timer.as_mut().reset(due_at);
            }
            ready!(timer.as_mut().poll(cx));
        }
        Poll::Ready(self.due_by(Instant::now()).max(token + 1))
    }

    /// Returns the number of tokens that are due. After a late wake-up it is several at once, so
    /// that the configured speed is kept.
    fn due_by(&self, now: Instant) -> usize {
        let elapsed = now.saturating_duration_since(self.start);
        1 + (elapsed.as_nanos() / self.per_token.as_nanos()) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_token_is_due_at_once_and_the_others_at_their_pace() {
        let pace = Pace { start: Instant::now(), per_token: Duration::from_millis(20), timer: None };
        let due_after = |millis| pace.due_by(pace.start + Duration::from_millis(millis));
        assert_eq!([0, 19, 20, 39, 40, 1000].map(due_after), [1, 1, 2, 2, 3, 51]);
    }
}
