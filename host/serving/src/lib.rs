//! Serving of requests: routing, attempts, plans, accounting, reloads and rollouts.
//!
//! Data flows one way. A [`snapshot`] is built from the configuration, with backends connected and
//! policies loaded. A client API reads a request, and [`handler::serve`] answers it by the snapshot
//! that is in force. A [`reload`] builds another snapshot next to the first, and swaps it in only
//! when it is complete. Nothing here knows a web framework or the format of a client's response.

pub mod accounting;
pub mod app;
pub mod auth;
pub mod backend_check;
pub mod clock;
pub mod handler;
pub mod ledger;
pub mod memory;
pub mod policy_events;
pub mod proxy;
pub mod ratings;
pub mod recorder;
pub mod reload;
pub mod response_owners;
pub mod rollout;
pub mod snapshot;
pub mod timer;
pub mod token_count;
pub mod traces;
pub mod uploads;
pub mod usage_history;

mod captured_content;
mod trace_headers;
