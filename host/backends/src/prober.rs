//! Active health checks.
//!
//! Traffic detects that a backend is down. A model that is left out for that gets no traffic,
//! so only a probe can detect that it is back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pointsman_domain::failure::CallFailure;
use pointsman_domain::ids::BackendName;
use pointsman_domain::model::Model;
use pointsman_wire::provider::ProviderDialect;
use tokio::task::JoinHandle;

use crate::backend::Backend;

/// Settings of the health probes of a backend.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeConfig {
    /// Path to GET, below the base URL.
    pub path: String,
    /// Time from a response to the next probe. It varies by a tenth, so that several gateways do
    /// not probe at once.
    pub interval: Duration,
    /// Longest wait for a response.
    pub timeout: Duration,
}

/// Background task that probes one backend until it is dropped.
#[derive(Debug)]
pub struct Prober(JoinHandle<()>);

struct ProbeTask {
    name: BackendName,
    backend: Backend,
    models: Vec<Arc<Model>>,
    config: ProbeConfig,
    /// True if the last probe failed; only changes are logged.
    down: bool,
    /// Last status that was logged as unexpected.
    unexpected_status: Option<u16>,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self {
            path: ProviderDialect::default().models_path().to_owned(),
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(2),
        }
    }
}

impl Prober {
    /// Starts to probe a backend, at once and then at intervals, and records the results in the
    /// live stats of its models. Has to be called inside a Tokio runtime.
    pub fn start(name: BackendName, backend: Backend, models: Vec<Arc<Model>>, config: ProbeConfig) -> Self {
        let task = ProbeTask { name, backend, models, config, down: false, unexpected_status: None };
        #[expect(clippy::disallowed_methods, reason = "the prober owns the task and ends it when dropped")]
        Self(tokio::spawn(task.run()))
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl ProbeTask {
    async fn run(mut self) {
        loop {
            // A panic costs one probe. The panic hook has logged and counted it.
            if let Some(result) =
                unless_panicked(self.backend.probe(&self.config.path, self.config.timeout)).await
            {
                self.record(result, Instant::now());
            }
            let spread = 0.9 + 0.2 * fastrand::f64();
            tokio::time::sleep(self.config.interval.mul_f64(spread)).await;
        }
    }

    /// Records a result. A server that responds with a status below 500 is alive: it may lack the
    /// page, or require another key for it.
    fn record(&mut self, result: Result<u16, CallFailure>, now: Instant) {
        match result {
            Ok(status) => {
                self.models.iter().for_each(|model| model.live.record_probe_success());
                if std::mem::take(&mut self.down) {
                    tracing::info!(backend = %self.name, "probe succeeded again");
                }
                self.report_status(status);
            }
            Err(failure) => {
                self.models.iter().for_each(|model| model.live.record_probe_failure(now));
                if !std::mem::replace(&mut self.down, true) {
                    tracing::warn!(backend = %self.name, path = self.config.path, %failure, "probe failed");
                }
            }
        }
    }

    /// Logs a status that is no success, unless the last one was the same.
    fn report_status(&mut self, status: u16) {
        let unexpected = (!(200..300).contains(&status)).then_some(status);
        if let Some(status) = unexpected.filter(|_| self.unexpected_status != unexpected) {
            tracing::warn!(
                backend = %self.name,
                path = self.config.path,
                status,
                "probe returned an unexpected status, but the server is alive; hint: set `path` of the \
                 backend's `health` to a page that it serves"
            );
        }
        self.unexpected_status = unexpected;
    }
}

/// Returns the output of a future, or `None` if it panics.
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
