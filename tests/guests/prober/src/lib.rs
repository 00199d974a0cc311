//! A policy that tries to reach the outside through WASI, as its settings describe. The reason of
//! its decision reports the result. It does nothing on the load gate's request.
//!
//! The module has no types for its WASI imports, because it is not built for rustc's WASI
//! target: `pointsman_guests::prober` adds them.

use pointsman_sdk::log;
use pointsman_sdk::prelude::*;
use serde::Deserialize;

#[cfg(target_family = "wasm")]
mod wasi;
#[cfg(not(target_family = "wasm"))]
#[path = "nothing.rs"]
mod wasi;

/// The id of the load gate's request.
const TRIAL: &str = "trial";
const HOUR_NS: u64 = 3_600_000_000_000;
const MILLISECOND_NS: u64 = 1_000_000;

/// The attempt.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// Nothing.
    #[default]
    Nothing,
    /// Lists everything that WASI offers.
    World,
    /// Prints some pieces of text, to stdout or stderr, or logs them.
    Print(Vec<(Where, String)>),
    /// Reads the clocks and random numbers.
    Readings,
    /// Waits for 50 ms in a loop, and sleeps for an hour.
    Wait,
    /// Calls the host this many times.
    Calls(u32),
    /// Calls the host without end.
    Flood,
    /// Exits with status 1.
    Exit,
}

/// The destination of a text.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Where {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The contract's own log.
    Log,
}

/// The policy's settings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    probe: Probe,
}

/// The policy.
pub struct Prober {
    probe: Probe,
}

impl Policy for Prober {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        Ok(Self { probe: settings.probe })
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let found = if request.id == TRIAL { String::new() } else { probe(&self.probe) };
        Ok(Decision::of(0..candidates.len(), "probed").because(found))
    }
}

fn probe(probe: &Probe) -> String {
    match probe {
        Probe::Nothing => String::new(),
        Probe::World => wasi::world(),
        Probe::Print(texts) => {
            for (place, text) in texts {
                match place {
                    Where::Stdout => wasi::print(text),
                    Where::Stderr => wasi::print_error(text),
                    Where::Log => log::info(text),
                }
            }
            String::new()
        }
        Probe::Readings => {
            let now = (wasi::monotonic(), wasi::monotonic());
            format!("{now:?} {:?} {:?}", wasi::wall(), wasi::random())
        }
        Probe::Wait => {
            let start = wasi::monotonic();
            while wasi::monotonic() - start < 50 * MILLISECOND_NS {}
            let awake = wasi::monotonic();
            wasi::sleep(HOUR_NS);
            let hours = (wasi::monotonic() - awake) / HOUR_NS;
            format!("slept for {hours} hour")
        }
        Probe::Calls(times) => {
            for _ in 0..*times {
                wasi::monotonic();
            }
            String::new()
        }
        Probe::Flood => loop {
            wasi::monotonic();
        },
        Probe::Exit => wasi::exit(),
    }
}

pointsman_sdk::export!(Prober);
