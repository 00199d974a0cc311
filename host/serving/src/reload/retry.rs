//! Retries of reloads that failed for a transient reason, such as a lack of file descriptors. No
//! file event announces that a reload would succeed now.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Wait before the first attempt; doubles with each one that fails.
const SHORTEST_WAIT: Duration = Duration::from_millis(500);
/// Longest wait before an attempt.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The next attempt, if one is due, and the wait that led to it.
#[derive(Debug, Default)]
pub struct Retry(watch::Sender<Option<(Instant, Duration)>>);

impl Retry {
    /// Schedules the next attempt after a reload, or none.
    pub(super) fn schedule(&self, is_needed: bool) {
        self.0.send_modify(|next| {
            let wait = next.map_or(SHORTEST_WAIT, |(_, wait)| (2 * wait).min(LONGEST_WAIT));
            *next = is_needed.then(|| (Instant::now() + wait, wait));
        });
    }

    /// Waits for the next attempt; forever if none is needed.
    pub(super) async fn due(&self) {
        let mut planned = self.0.subscribe();
        loop {
            let next = *planned.borrow_and_update();
            let due = async {
                match next {
                    Some((at, _)) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => return,
                // The sender lives as long as `self`.
                _ = planned.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_while_reloads_fail_and_start_over_after_a_success() {
        let retry = Retry::default();
        let wait = || retry.0.borrow().map(|(_, wait)| wait.as_millis());
        let after = |is_needed| {
            retry.schedule(is_needed);
            wait()
        };
        let waits: Vec<_> = (0..8).map(|_| after(true).unwrap()).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert_eq!((after(false), after(true)), (None, Some(500)));
    }
}
