//! The message of a panic, in the gateway's log.
//!
//! A panic ends in a trap, of which the gateway sees only that it happened. The hook writes where and
//! why before that.

use std::panic::PanicHookInfo;

use crate::log;

/// Makes panics of this instance write their message to the log.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(write));
}

fn write(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("a panic without a message");
    match panic.location() {
        Some(place) => log::error(&format!("panicked at {place}: {message}")),
        None => log::error(message),
    }
}
