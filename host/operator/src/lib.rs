//! Operators' tools: `pointsman top` and the commands that talk to a running gateway.
//!
//! They know the gateway through its admin API alone, and through its health checks. The gateway's binary embeds them in its
//! command line, and shares their conventions for errors and output.

mod arguments;
mod client;
mod health;
mod keys;
mod policy;
mod top;

pub use client::{AdminClient, ClientError};
pub use health::HealthArgs;
pub use keys::KeyCommand;
use pointsman_terminal::printable;
pub use pointsman_terminal::{CommandError, TextTable, print, write_stdout};
pub use policy::PolicyCommand;
pub use top::TopArgs;
