//! A policy that sleeps for an hour through WASI on every request except the load gate's, or with
//! the setting `leak` creates timers in an endless loop.
//!
//! The module has no types for its WASI imports, because it is not built for rustc's WASI
//! target: `pointsman_guests::sleeper` adds them.

use pointsman_sdk::prelude::*;
use serde::Deserialize;

/// The id of the load gate's request.
const TRIAL: &str = "trial";

/// An action in place of sleeping.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    leak: bool,
}

/// The policy.
pub struct Sleeper(Settings);

impl Policy for Sleeper {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        Ok(Self(settings))
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        if request.id != TRIAL {
            if self.0.leak {
                loop {
                    alarm();
                }
            }
            sleep(alarm());
        }
        Ok(Decision::of(0..candidates.len(), "awake"))
    }
}

/// The handle of a timer of an hour, which is never dropped.
#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "imported functions are unsafe to call")]
fn alarm() -> i32 {
    const HOUR_NS: u64 = 3_600_000_000_000;

    #[link(wasm_import_module = "wasi:clocks/monotonic-clock@0.2.0")]
    unsafe extern "C" {
        #[link_name = "subscribe-duration"]
        fn subscribe_duration(nanoseconds: u64) -> i32;
    }
    // SAFETY: it takes and gives plain numbers.
    unsafe { subscribe_duration(HOUR_NS) }
}

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "imported functions are unsafe to call")]
fn sleep(alarm: i32) {
    #[link(wasm_import_module = "wasi:io/poll@0.2.0")]
    unsafe extern "C" {
        #[link_name = "[method]pollable.block"]
        fn block(pollable: i32);
    }
    // SAFETY: it takes a plain number.
    unsafe { block(alarm) }
}

#[cfg(not(target_family = "wasm"))]
fn alarm() -> i32 {
    0
}

#[cfg(not(target_family = "wasm"))]
fn sleep(_: i32) {}

pointsman_sdk::export!(Sleeper);
