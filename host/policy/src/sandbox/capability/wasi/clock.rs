//! A deterministic clock for policies that are not granted the real one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::{self, Instant};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{HostWallClock, async_trait};

/// First reading of the wall clock: the start of the year 2000, UTC.
const START: Duration = Duration::from_secs(946_684_800);
/// Nanoseconds by which each reading advances the clock, so that a loop that waits for time to
/// pass ends.
const STEP_NS: u64 = 1_000_000;

/// A clock that advances when it is read and when a policy sleeps. It measures nothing real, and
/// every instance sees the same readings. Clones share the count of nanoseconds.
#[derive(Clone, Default)]
pub(super) struct StandInClock(Arc<AtomicU64>);

impl StandInClock {
    fn read(&self) -> u64 {
        self.0.fetch_add(STEP_NS, Ordering::Relaxed)
    }

    fn advance_to(&self, instant: Instant) {
        self.0.fetch_max(instant, Ordering::Relaxed);
    }
}

impl HostWallClock for StandInClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(STEP_NS)
    }

    fn now(&self) -> Duration {
        START.saturating_add(Duration::from_nanos(self.read()))
    }
}

/// Names the view that the linked functions get.
impl HasData for StandInClock {
    type Data<'a> = ClockView<'a>;
}

/// The clock of one instance, and the table that holds its pollables.
pub(super) struct ClockView<'a> {
    pub(super) clock: &'a StandInClock,
    pub(super) table: &'a mut ResourceTable,
}

impl monotonic_clock::Host for ClockView<'_> {
    fn now(&mut self) -> wasmtime::Result<Instant> {
        Ok(self.clock.read())
    }

    fn resolution(&mut self) -> wasmtime::Result<Instant> {
        Ok(STEP_NS)
    }

    fn subscribe_instant(&mut self, when: Instant) -> wasmtime::Result<Resource<DynPollable>> {
        let sleep = self.table.push(StandInSleep { clock: self.clock.clone(), until: when })?;
        subscribe(self.table, sleep)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let now = self.clock.read();
        self.subscribe_instant(now.saturating_add(duration))
    }
}

/// A sleep that advances the clock and ends as soon as it is polled.
struct StandInSleep {
    clock: StandInClock,
    until: Instant,
}

#[async_trait]
impl Pollable for StandInSleep {
    async fn ready(&mut self) {
        self.clock.advance_to(self.until);
    }
}
