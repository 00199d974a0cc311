//! A timer for a deadline that moves.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep};

/// A timer whose deadline usually moves back while it runs. That does not touch it: it fires at
/// the earlier time, and its owner looks at the deadline again.
#[derive(Debug)]
pub(super) struct Timer<'s> {
    sleep: Pin<&'s mut Sleep>,
    armed: Option<Instant>,
}

impl<'s> Timer<'s> {
    /// A timer that is not armed, whatever its sleep was made for.
    pub(super) fn new(sleep: Pin<&'s mut Sleep>) -> Self {
        Self { sleep, armed: None }
    }

    /// Fires at a deadline, or before it if an earlier one was asked for.
    pub(super) fn poll_at(&mut self, deadline: Instant, context: &mut Context<'_>) -> Poll<()> {
        if self.armed.is_none_or(|armed| deadline < armed) {
            self.sleep.as_mut().reset(deadline);
            self.armed = Some(deadline);
        }
        ready!(self.sleep.as_mut().poll(context));
        self.armed = None;
        Poll::Ready(())
    }
}
