//! A clock that has nothing to do with time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::{self, Instant};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{HostWallClock, async_trait};

/// What the wall clock says first: the start of the year 2000, UTC.
const START: Duration = Duration::from_secs(946_684_800);
/// How far each reading moves it on, so that a loop that waits for time to pass
/// ends: 1 ms, in nanoseconds.
const STEP_NS: u64 = 1_000_000;

/// Moves on when it is read, and when a policy sleeps: a policy without the grant
/// for clocks can measure nothing with it, and two instances see the same. Clones
/// share the nanoseconds that it has counted.
#[derive(Clone, Default)]
pub(super) struct StandInClock(Arc<AtomicU64>);

impl StandInClock {
    fn read(&self) -> u64 {
        self.0.fetch_add(STEP_NS, Ordering::Relaxed)
    }

    fn advance_to(&self, instant: Instant) {
        self.0.fetch_max(instant, Ordering::Relaxed);
    }

    pub(super) fn with<'a>(&'a self, table: &'a mut ResourceTable) -> Readings<'a> {
        Readings { clock: self, table }
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

/// What the linker gives the functions of `monotonic-clock`.
pub(super) struct StandIn;

impl HasData for StandIn {
    type Data<'a> = Readings<'a>;
}

/// The clock of one instance, and where its sleeps are kept.
pub(super) struct Readings<'a> {
    clock: &'a StandInClock,
    table: &'a mut ResourceTable,
}

impl monotonic_clock::Host for Readings<'_> {
    fn now(&mut self) -> wasmtime::Result<Instant> {
        Ok(self.clock.read())
    }

    fn resolution(&mut self) -> wasmtime::Result<Instant> {
        Ok(STEP_NS)
    }

    fn subscribe_instant(&mut self, when: Instant) -> wasmtime::Result<Resource<DynPollable>> {
        let sleep = self.table.push(Sleep { clock: self.clock.clone(), until: when })?;
        subscribe(self.table, sleep)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let now = self.clock.read();
        self.subscribe_instant(now.saturating_add(duration))
    }
}

/// Over as soon as it is waited for.
struct Sleep {
    clock: StandInClock,
    until: Instant,
}

#[async_trait]
impl Pollable for Sleep {
    async fn ready(&mut self) {
        self.clock.advance_to(self.until);
    }
}
