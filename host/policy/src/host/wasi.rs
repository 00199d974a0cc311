//! WASI 0.2 for policies of other languages: their runtimes ask for it, and find
//! an empty world.
//!
//! No environment, arguments, files or sockets; an empty standard input; what is
//! printed goes to the policy's log. Clocks and random numbers are stand-ins that
//! give every instance the same, unless the real ones are granted.

use rand::SeedableRng;
use rand::rngs::StdRng;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use self::clock::{StandIn, StandInClock};
use self::printer::Printer;
use super::Host;
use crate::contract::Level;
use crate::spec::Grants;

mod clock;
mod printer;

/// Bytes of randomness that a policy can ask for at once, which the host holds.
const RANDOM_BYTES: u64 = 64 << 10;
/// Streams and the like that one instance may hold.
const RESOURCES: usize = 2_000;
/// Where the stand-in for randomness begins.
const SEED: u64 = 0;

/// Offers WASI 0.2. Without the grant for clocks, sleeping takes no time.
pub(crate) fn add_wasi(linker: &mut Linker<Host>, grants: Grants) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    if !grants.contains(Grants::CLOCKS) {
        linker.allow_shadowing(true);
        monotonic_clock::add_to_linker::<Host, StandIn>(linker, |host| {
            let Wasi { clock, table, .. } = host.wasi();
            clock.with(table)
        })?;
        linker.allow_shadowing(false);
    }
    Ok(())
}

/// What one instance has of WASI.
pub(super) struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
    clock: StandInClock,
    printer: Printer,
}

impl Wasi {
    fn new(grants: Grants) -> Self {
        let (clock, printer) = (StandInClock::default(), Printer::default());
        let mut context = WasiCtx::builder();
        context
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .stdout(printer.at(Level::Info))
            .stderr(printer.at(Level::Warn))
            .max_random_size(RANDOM_BYTES);
        if !grants.contains(Grants::CLOCKS) {
            context.wall_clock(clock.clone());
        }
        if !grants.contains(Grants::RANDOM) {
            context
                .secure_random(StdRng::seed_from_u64(SEED))
                .insecure_random(StdRng::seed_from_u64(SEED))
                .insecure_random_seed(SEED.into());
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES);
        Self { context: context.build(), table, clock, printer }
    }
}

impl Host {
    /// The instance's WASI, at each call that the policy makes of it: counted, and
    /// built at the first. Most decisions never make one.
    fn wasi(&mut self) -> &mut Wasi {
        self.count_wasi_call();
        let grants = self.policy.grants;
        self.wasi.get_or_insert_with(|| Box::new(Wasi::new(grants)))
    }

    /// Writes what the policy printed to its log, in lines; with `all`, also what
    /// no line end follows yet.
    pub(super) fn log_printed(&mut self, all: bool) {
        let Some(wasi) = &self.wasi else { return };
        let printed = wasi.printer.take(all);
        self.left.log_lines_dropped += printed.dropped;
        for (level, line) in printed.lines {
            if self.may_log() {
                self.write_line(level, &line);
            }
        }
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let Wasi { context, table, .. } = self.wasi();
        WasiCtxView { ctx: context, table }
    }
}
