//! The Pointsman gateway: config, client and admin API, command line.
//!
//! Data flows one way. [`config`] reads what the operator says; a snapshot is
//! built from it, with backends connected and policies loaded; the client API
//! takes the snapshot of the moment and answers a request by it. A reload
//! builds another snapshot beside the first, and only a whole one takes over.

pub mod cli;

mod accounting;
mod admin;
mod app;
mod auth;
mod builtin;
mod captured_content;
mod client;
mod clock;
mod deadline;
mod feedback;
mod handler;
mod ledger;
mod logging;
mod memory;
mod proxy;
mod recorder;
mod reload;
mod rollout;
mod server;
mod snapshot;
mod timer;
mod trace_headers;
mod traces;
