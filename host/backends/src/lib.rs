//! Calls to model backends.
//!
//! This crate alone opens connections to backends. It knows pools, TLS, header
//! allow-lists and how calls fail; it does not know which model to call, nor
//! how often: that is decided before, and tried again, by its caller. A
//! [`Backend`] is either a real server or a fleet simulated in this process,
//! and both are called the same way.

mod backend;
mod endpoint;
mod http;
mod prober;
mod retry_after;
mod simulated;

pub use backend::{Backend, Call, Reply, ReplyBody};
pub use endpoint::{Endpoint, Posted};
pub use http::{ClientCertificate, HttpConfig, InvalidBackend, ProxyConfig};
pub use prober::{ProbeConfig, Prober};
pub use retry_after::retry_after;
pub use simulated::{SimulatedConfig, SimulatedModel};
