//! Watches new versions and policies on trial, and rolls back those that are worse than their
//! predecessor.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use pointsman_policy::ChangeNotifier;
use pointsman_telemetry::BackgroundTask;

use super::Reloader;
use crate::clock::unix_seconds;

/// Pause after a check, so that a version that fails at every request does not keep this task busy.
const PAUSE: Duration = Duration::from_millis(5);
/// Longest time to the next check of the holds. They end by the time of day, which may be set while
/// a timer runs.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Time to the next attempt after a failed write of the state.
const STORE_RETRY: Duration = Duration::from_secs(2);

/// Checks versions whenever their statistics change, and reloads when a hold ends.
pub struct RollbackWatch {
    reloader: Arc<Reloader>,
    change_notifier: ChangeNotifier,
    checked_until: u64,
}

impl RollbackWatch {
    /// Creates a watch over the versions that a reloader loads.
    pub fn new(reloader: Arc<Reloader>, change_notifier: ChangeNotifier) -> Self {
        Self { reloader, change_notifier, checked_until: unix_seconds() }
    }
}

impl BackgroundTask for RollbackWatch {
    const NAME: &'static str = "guard";

    async fn run(&mut self) -> ControlFlow<()> {
        let Self { reloader, change_notifier, checked_until } = self;
        loop {
            let end = reloader.rollouts.state().next_end(*checked_until);
            let left =
                end.map_or(LONGEST_WAIT, |end| Duration::from_secs(end.saturating_sub(unix_seconds())));
            let longest = if reloader.rollouts.is_unsaved() { STORE_RETRY } else { LONGEST_WAIT };
            tokio::select! {
                () = change_notifier.changed() => {
                    reloader.roll_back_worse().await;
                    tokio::time::sleep(PAUSE).await;
                }
                () = tokio::time::sleep(left.min(longest)) => {
                    reloader.store_unsaved();
                    if let Some(end) = end.filter(|end| *end <= unix_seconds()) {
                        reloader.reload("backoff").await;
                        *checked_until = end;
                    }
                }
            }
        }
    }
}
