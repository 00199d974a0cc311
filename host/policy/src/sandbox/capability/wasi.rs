//! WASI 0.2 for policies of other languages, whose runtimes import it: an empty world.
//!
//! There are no environment variables, arguments, files or sockets; standard input is empty and
//! output goes to the policy's log. Clocks and random numbers are deterministic stand-ins, the
//! same for every instance, unless the real ones are granted.

use rand::SeedableRng;
use rand::rngs::StdRng;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use self::clock::{ClockView, StandInClock};
use self::printer::Printer;
use super::{Capability, Grant, OfferedInterface};
use crate::contract::Level;
use crate::sandbox::StoreData;
use crate::spec::Grants;

mod clock;
mod printer;

/// Bytes of randomness that a policy can request at once, which the host has to hold.
const MAX_RANDOM_BYTES: u64 = 64 << 10;
/// Streams, pollables and other resources that one instance may hold.
const MAX_RESOURCES: usize = 2_000;
/// Level of lines on standard error.
const STDERR: Level = Level::Warn;
/// Seed of the stand-in for randomness.
const SEED: u64 = 0;

pub(super) const CAPABILITY: Capability = Capability {
    interfaces: &[
        package("wasi:io/", "wait for clocks and empty streams, within its deadline"),
        package(
            "wasi:clocks/",
            "read a clock that counts its own readings, or the real one where `clocks` is granted",
        ),
        package(
            "wasi:random/",
            "draw numbers that are the same each time, or random ones where `random` is granted",
        ),
        package("wasi:cli/", "see an empty environment, and print lines to the gateway's log, few and short"),
        package("wasi:filesystem/", "ask for files, of which there are none"),
        package("wasi:sockets/", "ask for connections, which are all refused"),
    ],
    version_line: "0.2.",
    grant: Some(Grant { flag: Grants::WASI, name: "wasi" }),
    link,
};

const fn package(name: &'static str, allows: &'static str) -> OfferedInterface {
    OfferedInterface { name, functions: None, allows }
}

/// Without the grant for clocks, the stand-in takes the place of the monotonic clock: sleeping
/// takes no time then.
fn link(linker: &mut Linker<StoreData>, grants: Grants) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    if !grants.contains(Grants::CLOCKS) {
        linker.allow_shadowing(true);
        monotonic_clock::add_to_linker::<StoreData, StandInClock>(linker, |data| {
            let Wasi { clock, table, .. } = data.wasi();
            ClockView { clock, table }
        })?;
        linker.allow_shadowing(false);
    }
    Ok(())
}

/// WASI state of one instance.
pub(in crate::sandbox) struct Wasi {
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
            .stdout(printer.stream(Level::Info))
            .stderr(printer.stream(STDERR))
            .max_random_size(MAX_RANDOM_BYTES);
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
        table.set_max_capacity(MAX_RESOURCES);
        Self { context: context.build(), table, clock, printer }
    }
}

impl StoreData {
    /// Returns the WASI state, built at the first use, and charges the policy for one call:
    /// every function of WASI begins here.
    fn wasi(&mut self) -> &mut Wasi {
        self.charge_wasi_call();
        let grants = self.policy.grants;
        self.wasi.get_or_insert_with(|| Box::new(Wasi::new(grants)))
    }

    /// Writes printed lines to the policy's log; with `all`, also an unfinished last line.
    pub(super) fn log_output(&mut self, all: bool) {
        let Some(wasi) = &self.wasi else { return };
        let printed = wasi.printer.take(all);
        self.log.count_dropped(printed.dropped);
        for (level, line) in printed.lines {
            if level == STDERR {
                self.remember_error(&line);
            }
            if self.log.take_line() {
                self.write_line(level, &line);
            }
        }
    }
}

impl WasiView for StoreData {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let Wasi { context, table, .. } = self.wasi();
        WasiCtxView { ctx: context, table }
    }
}
