//! A timer for a deadline that moves.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep};

/// A timer whose deadline usually moves back while it runs. That does not touch it: it fires at
/// the earlier time, and its owner looks at the deadline again.
#[derive(Debug)]
pub struct Timer {
    sleep: Pin<Box<Sleep>>,
    armed: Option<Instant>,
}

impl Default for Timer {
    fn default() -> Self {
        Self::new()
    }
}

impl Timer {
    /// A timer that is not armed. It belongs to the runtime that this is called in.
    pub fn new() -> Self {
        Self { sleep: Box::pin(tokio::time::sleep_until(Instant::now())), armed: None }
    }

    /// Fires at a deadline, or before it if an earlier one was set.
    pub fn poll_at(&mut self, deadline: Instant, context: &mut Context<'_>) -> Poll<()> {
        if self.armed.is_none_or(|armed| deadline < armed) {
            self.sleep.as_mut().reset(deadline);
            self.armed = Some(deadline);
        }
        ready!(self.sleep.as_mut().poll(context));
        self.armed = None;
        Poll::Ready(())
    }

    /// Waits for a future up to a deadline; `None` if that passes first.
    pub async fn wait<T>(&mut self, deadline: Instant, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            loop {
                ready!(self.poll_at(deadline, context));
                if deadline <= Instant::now() {
                    return Poll::Ready(None);
                }
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn no_wait_ends_before_its_deadline_whichever_way_it_moved() {
        let mut timer = Timer::new();
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        assert_eq!(timer.wait(after(60_000), std::future::ready(1)).await, Some(1));
        for millis in [2, 3, 1, 4] {
            assert_eq!(timer.wait(after(60_000), std::future::ready(1)).await, Some(1));
            assert_eq!(timer.wait(after(millis), std::future::pending::<()>()).await, None);
            assert!(Instant::now() >= after(millis));
        }
    }
}
