//! Lines for the gateway's log.
//!
//! Each call of the policy may write a few short lines. The gateway drops further lines and
//! counts them.

pub use crate::bindings::routing::pointsman::policy::log::Level;
use crate::imports::log as gateway;

/// Writes a line.
pub fn write(level: Level, message: &str) {
    gateway::write(level, message);
}

/// Writes a line for developers of the policy.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// Writes a line about normal operation.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Writes a line about a problem that did not prevent a decision.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// Writes a line about a failure of the policy.
pub fn error(message: &str) {
    write(Level::Error, message);
}
