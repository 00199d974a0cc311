//! A simulated answer as it is spoken.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep_until};

use super::answer::Answer;
use super::format::Format;

/// The body of a simulated answer.
#[derive(Debug)]
pub(crate) struct SimulatedBody(Kind);

#[derive(Debug)]
enum Kind {
    Whole(Option<Bytes>),
    Stream(Box<Spoken>),
}

#[derive(Debug)]
struct Spoken {
    answer: Answer,
    format: Format,
    next: Next,
    pace: Pace,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Next {
    Opening,
    Token(usize),
    Nothing,
}

/// When tokens are due.
#[derive(Debug)]
struct Pace {
    start: Instant,
    per_token: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl SimulatedBody {
    pub(super) fn whole(body: Bytes) -> Self {
        Self(Kind::Whole(Some(body)))
    }

    /// The first token is due now.
    pub(super) fn stream(answer: Answer, format: Format, per_token: Duration) -> Self {
        let pace = Pace { start: Instant::now(), per_token, timer: None };
        Self(Kind::Stream(Box::new(Spoken { answer, format, next: Next::Opening, pace })))
    }

    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        match &mut self.0 {
            Kind::Whole(body) => Poll::Ready(body.take()),
            Kind::Stream(spoken) => spoken.poll_chunk(cx),
        }
    }
}

impl Spoken {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let chunk = match self.next {
            Next::Opening => {
                self.next = Next::Token(0);
                self.format.opening()
            }
            Next::Token(first) if first < self.answer.tokens.len() => {
                let due = ready!(self.pace.poll_due(first, cx)).min(self.answer.tokens.len());
                self.next = Next::Token(due);
                self.format.said(&self.answer.tokens[first..due])
            }
            Next::Token(_) => {
                self.next = Next::Nothing;
                self.format.ending(&self.answer)
            }
            Next::Nothing => return Poll::Ready(None),
        };
        Poll::Ready(Some(chunk))
    }
}

impl Pace {
    /// Waits for a token, and tells how many are due by then. There is one timer
    /// for the whole stream, and none without a pace.
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

    /// How many tokens are due. After a late wake-up it is several at once, so
    /// that the stated speed holds.
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
