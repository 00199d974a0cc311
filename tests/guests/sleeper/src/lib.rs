//! Sleeps for an hour by way of WASI when it is asked for a decision, except
//! for the load gate's.
//!
//! Its imports have no types in the module, as rustc's target for WASI is not
//! used: `pointsman_guests::sleeper` adds them.

use pointsman_sdk::prelude::*;

/// The id of the load gate's request.
const TRIAL: &str = "trial";

/// The policy.
pub struct Sleeper;

impl Policy for Sleeper {
    type Settings = NoSettings;

    fn new(_: NoSettings) -> Result<Self, String> {
        Ok(Self)
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        if request.id != TRIAL {
            sleep();
        }
        Ok(Decision::of(0..candidates.len(), "awake"))
    }
}

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "imported functions are unsafe to call")]
fn sleep() {
    const HOUR_NS: u64 = 3_600_000_000_000;

    #[link(wasm_import_module = "wasi:clocks/monotonic-clock@0.2.0")]
    unsafe extern "C" {
        #[link_name = "subscribe-duration"]
        fn subscribe_duration(nanoseconds: u64) -> i32;
    }
    #[link(wasm_import_module = "wasi:io/poll@0.2.0")]
    unsafe extern "C" {
        #[link_name = "[method]pollable.block"]
        fn block(pollable: i32);
    }
    // SAFETY: both take and give plain numbers.
    unsafe { block(subscribe_duration(HOUR_NS)) }
}

#[cfg(not(target_family = "wasm"))]
fn sleep() {}

pointsman_sdk::export!(Sleeper);
