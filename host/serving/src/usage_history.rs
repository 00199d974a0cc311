//! The thread that keeps the history of usage.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use pointsman_state::UsageHistory;
use pointsman_telemetry::Supervisor;

use crate::clock::unix_seconds;
use crate::recorder::Recorder;

/// Time between two collections, in seconds. A crash loses at most what was summed up in it. The end of
/// a step is the end of an interval.
const INTERVAL: u64 = 60;

/// Starts the thread, which ends when the history is closed.
///
/// # Errors
/// Fails if the system cannot start a thread.
pub fn start(history: UsageHistory, recorder: Arc<Recorder>, supervisor: &Supervisor) -> io::Result<()> {
    if let Some(error) = history.status().error {
        tracing::error!(
            "the history of usage is in memory, and ends with the process: {error}; stop the gateway, move \
             the file away, and start it again"
        );
    }
    let mut is_failing = false;
    supervisor.spawn_thread("usage-history", move || {
        loop {
            let is_closing = history.wait(time_left(unix_seconds()));
            let now = unix_seconds();
            let collected = history.collect(|| recorder.ledger.lines(), now);
            match collected.and_then(|()| history.store(now)) {
                Ok(()) if is_failing => {
                    tracing::info!("the history of usage is stored again");
                    is_failing = false;
                }
                Ok(()) => {}
                Err(error) => {
                    recorder
                        .telemetry
                        .log_history_failure(&error.to_string(), history.status().unstored_steps);
                    is_failing = true;
                }
            }
            if is_closing {
                history.record_end();
                return ControlFlow::Break(());
            }
        }
    })
}

/// Returns the time to the end of an interval.
const fn time_left(now: u64) -> Duration {
    Duration::from_secs(INTERVAL - now % INTERVAL)
}

#[cfg(test)]
mod tests {
    use pointsman_state::HISTORY_STEP;

    use super::*;

    #[test]
    fn an_interval_ends_with_each_step() {
        assert_eq!(HISTORY_STEP % INTERVAL, 0);
        for (now, expected) in [(0, 60), (1, 59), (HISTORY_STEP - 1, 1), (HISTORY_STEP, 60)] {
            assert_eq!(time_left(now), Duration::from_secs(expected), "{now}");
        }
    }
}
