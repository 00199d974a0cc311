//! Watches new versions and policies on trial, and undoes those that are worse
//! than what they took over from.

use std::sync::Arc;
use std::time::Duration;

use pointsman_policy::Alarm;

use crate::clock::unix_seconds;
use crate::reload::Reloader;

/// Pause after a look, so that a version that fails at every request does not
/// keep the guard busier than the requests.
const PAUSE: Duration = Duration::from_millis(5);
/// Longest time to the next look at the holds: they end by the time of day,
/// which may be set while a timer runs.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Looks whenever a record has something new, and reloads when a version may be
/// tried again. Never ends.
pub(crate) async fn run(reloader: Arc<Reloader>, alarm: Alarm) {
    let mut looked_until = unix_seconds();
    loop {
        let end = reloader.rollouts.state().next_end(looked_until);
        let left = end.map_or(LONGEST_WAIT, |end| Duration::from_secs(end.saturating_sub(unix_seconds())));
        tokio::select! {
            () = alarm.rung() => {
                reloader.guard().await;
                tokio::time::sleep(PAUSE).await;
            }
            () = tokio::time::sleep(left.min(LONGEST_WAIT)) => {
                if let Some(end) = end.filter(|end| *end <= unix_seconds()) {
                    reloader.reload("backoff").await;
                    looked_until = end;
                }
            }
        }
    }
}
