//! Body of a scripted answer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::State;
use crate::step::Act;

type Pause = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Body that performs actions.
pub(crate) struct Answer {
    acts: std::vec::IntoIter<Act>,
    pause: Option<Pause>,
    /// Length of a body in one chunk, so that it is not sent chunked.
    size: SizeHint,
    unfinished: Option<Unfinished>,
}

/// Guard that counts a hang-up when dropped before it is finished.
pub(crate) struct Unfinished(Option<Arc<State>>);

impl Answer {
    pub(crate) fn new(acts: Vec<Act>, unfinished: Unfinished) -> Self {
        let size = match acts.as_slice() {
            [] => SizeHint::with_exact(0),
            [Act::Send(only)] => SizeHint::with_exact(only.len() as u64),
            _ => SizeHint::default(),
        };
        let mut answer = Self { acts: acts.into_iter(), pause: None, size, unfinished: Some(unfinished) };
        answer.finish_at_end();
        answer
    }

    fn finish_at_end(&mut self) {
        if self.acts.as_slice().is_empty() {
            self.unfinished.take().into_iter().for_each(Unfinished::finish);
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            let act = self.acts.next();
            self.finish_at_end();
            return Poll::Ready(match act {
                None => None,
                Some(Act::Send(piece)) => Some(Ok(Frame::data(piece))),
                Some(Act::Die) => Some(Err(io::Error::other("scripted end in mid-answer"))),
                Some(Act::Flush) => {
                    self.pause = Some(Box::pin(tokio::task::yield_now()));
                    continue;
                }
                Some(Act::Wait(gate)) => {
                    self.pause = Some(Box::pin(async move { gate.pass().await }));
                    continue;
                }
            });
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.size
    }
}

impl Unfinished {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self(Some(state))
    }

    pub(crate) fn finish(mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(state) = self.0.take() {
            state.hung_up();
        }
    }
}
