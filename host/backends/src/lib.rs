//! Calls to model backends.
//!
//! A [`Backend`] is a transport (plain HTTP, TLS, or a fleet simulated in this process), the
//! [dialect](pointsman_wire::provider::ProviderDialect) that its API speaks, and the
//! [credentials](ProviderAuth) of its calls. All backends are called the same way.
//!
//! This crate alone opens connections to backends. It owns pools, TLS, header allow-lists and
//! the classification of failed calls. Its caller decides which model is called, and retries.

mod auth;
mod backend;
mod call;
mod http;
mod model_list;
mod post_client;
mod prober;
mod retry_after;
mod simulated;

pub use auth::{KeyCommand, KeyFile, KeyPlacement, KeySource, ProviderAuth};
pub use backend::{Backend, BackendBody, BackendResponse, TransportConfig};
pub use call::{BackendCall, BackendRequest};
pub use http::{ClientCertificate, ConnectCause, HttpConfig, InvalidBackend, ProxyConfig};
pub use model_list::{ModelList, ModelListError, WrongAddress};
pub use post_client::{PostClient, PostResponse};
pub use prober::{ProbeConfig, Prober};
pub use retry_after::retry_after;
pub use simulated::SimulatedConfig;
