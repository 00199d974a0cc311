//! Watches new versions and policies on trial, and rolls back those that are worse than their
//! predecessor.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use pointsman_policy::ChangeNotifier;
use pointsman_telemetry::BackgroundTask;

use super::Reloader;
use crate::clock::unix_seconds;

/// Pause after a look, so that a version that fails at every request does not
/// keep the guard busier than the requests.
const PAUSE: Duration = Duration::from_millis(5);
/// Longest time to the next look at the holds: they end by the time of day,
/// which may be set while a timer runs.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Time to the next attempt to store a decision that could not be stored.
const STORE_AGAIN: Duration = Duration::from_secs(2);

/// Looks whenever a record has something new, and reloads when a version may be
/// tried again.
pub struct RollbackWatch {
    reloader: Arc<Reloader>,
    change_notifier: ChangeNotifier,
    looked_until: u64,
}

impl RollbackWatch {
    /// A watch over the versions that a reloader loads.
    pub fn new(reloader: Arc<Reloader>, change_notifier: ChangeNotifier) -> Self {
        Self { reloader, change_notifier, looked_until: unix_seconds() }
    }
}

impl BackgroundTask for RollbackWatch {
    const NAME: &'static str = "guard";

    async fn run(&mut self) -> ControlFlow<()> {
        let Self { reloader, change_notifier, looked_until } = self;
        loop {
            let end = reloader.rollouts.state().next_end(*looked_until);
            let left =
                end.map_or(LONGEST_WAIT, |end| Duration::from_secs(end.saturating_sub(unix_seconds())));
            let longest = if reloader.rollouts.is_unsaved() { STORE_AGAIN } else { LONGEST_WAIT };
            tokio::select! {
                () = change_notifier.changed() => {
                    reloader.roll_back_worse().await;
                    tokio::time::sleep(PAUSE).await;
                }
                () = tokio::time::sleep(left.min(longest)) => {
                    reloader.store_unsaved();
                    if let Some(end) = end.filter(|end| *end <= unix_seconds()) {
                        reloader.reload("backoff").await;
                        *looked_until = end;
                    }
                }
            }
        }
    }
}
