//! Support for tests: a scripted model server on real sockets, a client that reads streams, and
//! the gateway as a process. Everything listens on loopback, on a port that the system picks, and
//! tests wait for events rather than for time.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a fixture that cannot do its part fails the test"
)]

mod certificate;
pub mod client;
pub mod collector;
mod connection;
mod fake_model;
mod gate;
mod gateway;
mod installed;
mod model;
pub mod planted;
pub mod prometheus;
mod proxy;
pub mod real_models;
pub mod registry;
mod request;
mod step;
pub mod synthetic_log;

pub use certificate::Identity;
pub use connection::Connection;
pub use fake_model::{Builder, FakeModel};
pub use gate::Gate;
pub use gateway::{Gateway, command, fresh_directory};
pub use installed::{installed, recorded_data};
pub use model::model;
pub use proxy::Proxy;
pub use registry::Registry;
pub use request::Request;
pub use step::Step;
