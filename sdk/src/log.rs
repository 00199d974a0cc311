//! Lines for the gateway's log. Each call of the policy may write a few short
//! lines; what exceeds the bound is dropped and counted by the gateway.

pub use crate::bindings::routing::pointsman::policy::log::Level;
use crate::imports::log as gateway;

/// Writes one line.
pub fn write(level: Level, message: &str) {
    gateway::write(level, message);
}

/// For whoever works on the policy.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// Worth knowing in normal operation.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Something looks wrong, but a decision was made.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// The policy could not do its work.
pub fn error(message: &str) {
    write(Level::Error, message);
}
