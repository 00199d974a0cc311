//! The end of `pointsman serve`: signals, the delay before the listeners close, and the drain.

use std::io;
use std::time::{Duration, Instant};

use pointsman_serving::app::App;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::server::Drained;

/// SIGTERM and SIGINT, which no longer end the process once this is made.
pub(super) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

/// The end of serving.
pub(super) struct Stopped {
    /// State of the requests at the end; `None` if SIGINT ended the wait.
    pub(super) drained: Option<Drained>,
    /// Time at which the listeners closed.
    pub(super) at: Instant,
}

impl StopSignals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for one of them.
    async fn stop_requested(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Waits for SIGINT alone. A second Ctrl-C ends the drain; a second SIGTERM of a process
    /// manager does not.
    pub(super) async fn interrupted(&mut self) {
        self.interrupt.recv().await;
    }
}

/// Runs the listeners until a signal has arrived and their requests are finished.
///
/// From the signal on the gateway is not ready. `delay` later `stop` closes the
/// listeners. A further SIGINT returns at once.
pub(super) async fn serve_until_stopped(
    listeners: impl Future<Output = Drained>,
    signals: &mut StopSignals,
    app: &App,
    delay: Duration,
    stop: &watch::Sender<bool>,
) -> Stopped {
    let mut at = None;
    let interrupted = async {
        signals.stop_requested().await;
        app.begin_stop();
        if !delay.is_zero() {
            tracing::info!(
                "stopping in {} ms: /ready fails, and requests are still accepted",
                delay.as_millis()
            );
            if timeout(delay, signals.interrupted()).await.is_ok() {
                return;
            }
        }
        tracing::info!("stopping: requests in flight are finished");
        let _ = stop.send(true);
        at = Some(Instant::now());
        signals.interrupted().await;
    };
    let drained = tokio::select! {
        drained = listeners => Some(drained),
        () = interrupted => None,
    };
    Stopped { drained, at: at.unwrap_or_else(Instant::now) }
}
