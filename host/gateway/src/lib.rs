//! The Pointsman gateway: its client API, admin API, listeners and command line.

pub mod cli;

mod admin;
mod builtin;
mod client;
mod deadline;
mod logging;
mod playground;
mod program;
mod server;
