//! Health checks that need no traffic.
//!
//! Live traffic finds out that a backend is down, but a model that is left out
//! for it gets no traffic that could find out that it is back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pointsman_domain::failure::CallFailure;
use pointsman_domain::ids::BackendName;
use pointsman_domain::model::Model;
use tokio::task::JoinHandle;

use crate::backend::Backend;

/// How to ask a backend whether it is there.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeConfig {
    /// What to GET, below the base URL.
    pub path: String,
    /// Time from one answer to the next question, give or take a tenth, so that
    /// many gateways do not ask at once.
    pub interval: Duration,
    /// Longest wait for an answer.
    pub timeout: Duration,
}

/// Probes one backend until dropped.
#[derive(Debug)]
pub struct Prober(JoinHandle<()>);

struct Probed {
    name: BackendName,
    backend: Backend,
    models: Vec<Arc<Model>>,
    config: ProbeConfig,
    /// The last verdict, to log changes only.
    down: bool,
    /// The last status that was reported as no success.
    odd_status: Option<u16>,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self { path: "models".to_owned(), interval: Duration::from_secs(10), timeout: Duration::from_secs(2) }
    }
}

impl Prober {
    /// Probes a backend at once and then at intervals, and tells the live stats
    /// of its models. Call it inside a Tokio runtime.
    pub fn start(name: BackendName, backend: Backend, models: Vec<Arc<Model>>, config: ProbeConfig) -> Self {
        let probed = Probed { name, backend, models, config, down: false, odd_status: None };
        #[expect(clippy::disallowed_methods, reason = "the prober owns the task and ends it when dropped")]
        Self(tokio::spawn(probed.keep_probing()))
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Probed {
    async fn keep_probing(mut self) {
        loop {
            // A panic costs one probe. It was logged and counted where it happened.
            if let Some(result) =
                unless_panicked(self.backend.probe(&self.config.path, self.config.timeout)).await
            {
                self.judge(result, Instant::now());
            }
            let spread = 0.9 + 0.2 * fastrand::f64();
            tokio::time::sleep(self.config.interval.mul_f64(spread)).await;
        }
    }

    /// Any answer below 500 is that of a server which is alive: it may have no such page, or
    /// want another key for it.
    fn judge(&mut self, result: Result<u16, CallFailure>, now: Instant) {
        match result {
            Ok(status) => {
                self.models.iter().for_each(|model| model.live.probe_succeeded());
                if std::mem::take(&mut self.down) {
                    tracing::info!(backend = %self.name, "probe succeeded again");
                }
                self.report_status(status);
            }
            Err(failure) => {
                self.models.iter().for_each(|model| model.live.probe_failed(now));
                if !std::mem::replace(&mut self.down, true) {
                    tracing::warn!(backend = %self.name, path = self.config.path, %failure, "probe failed");
                }
            }
        }
    }

    /// Logs a status that is no success, unless the one before was the same.
    fn report_status(&mut self, status: u16) {
        let odd = (!(200..300).contains(&status)).then_some(status);
        if let Some(status) = odd.filter(|_| self.odd_status != odd) {
            tracing::warn!(
                backend = %self.name,
                path = self.config.path,
                status,
                "the probe's answer is no success, but the server is alive; hint: set `path` of the \
                 backend's `health` to a page that it has"
            );
        }
        self.odd_status = odd;
    }
}

/// The output of a future, or `None` if it panics.
async fn unless_panicked<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let poll_once = |context: &mut Context<'_>| {
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        polled.map_or(Poll::Ready(None), |poll| poll.map(Some))
    };
    std::future::poll_fn(poll_once).await
}

#[cfg(test)]
mod tests;
