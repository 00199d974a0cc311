//! Puts the prices of models in force on their dates.
//!
//! A change of prices is a new snapshot, so a request has the prices of its start to its end.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pointsman_telemetry::BackgroundTask;

use super::Reloader;
use super::route_operations::rebuilt;
use crate::clock::unix_seconds;

/// Longest time to the next look at the clock, which may be set while a timer runs.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Waits for the dates of prices.
pub struct PriceWatch {
    reloader: Arc<Reloader>,
}

impl PriceWatch {
    /// Creates a watch over the prices of a gateway's models.
    pub fn new(reloader: Arc<Reloader>) -> Self {
        Self { reloader }
    }
}

impl BackgroundTask for PriceWatch {
    const NAME: &'static str = "prices";

    async fn run(&mut self) -> ControlFlow<()> {
        let app = &self.reloader.app;
        loop {
            let now = unix_seconds();
            self.reloader.put_prices_in_force(now);
            let next = app.snapshot().config.next_price_change(now);
            tokio::select! {
                () = reached(next, SystemTime::now) => {}
                () = app.swapped() => {}
            }
        }
    }
}

impl Reloader {
    /// Replaces the snapshot if it has other prices than those of a time in seconds since 1970.
    fn put_prices_in_force(&self, now: u64) {
        if self.app.snapshot().config.outdated_prices(now).next().is_none() {
            return;
        }
        let _guard = self.lock_changes();
        let current = self.app.snapshot();
        let models: Vec<&str> = current.config.outdated_prices(now).map(|model| model.id.as_str()).collect();
        match rebuilt(&current, &self.rollouts.state()) {
            Ok(snapshot) => self.app.swap(snapshot),
            Err(error) => return tracing::error!("new prices do not take effect: {error}"),
        }
        tracing::info!(models = models.join(","), "new prices are in force");
    }
}

/// Waits until a time in seconds since 1970, or until the clock has to be looked at again.
async fn reached(time: Option<u64>, clock: impl Fn() -> SystemTime) {
    let since_1970 = clock().duration_since(UNIX_EPOCH).unwrap_or_default();
    let left = time.map_or(LONGEST_WAIT, |time| Duration::from_secs(time).saturating_sub(since_1970));
    tokio::time::sleep(left.min(LONGEST_WAIT)).await;
}

#[cfg(test)]
mod tests;
