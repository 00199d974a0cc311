//! Operators' tools: `pointsman top` and the commands that talk to a running gateway.
//!
//! They know the gateway through its admin API alone. The gateway's binary embeds them in its
//! command line, and shares their conventions for errors and output.

mod client;
mod error;
mod output;
mod policy;
mod printable;
mod text_table;
mod top;

pub use error::CommandError;
pub use output::{print, write_stdout};
pub use policy::PolicyCommand;
pub use text_table::TextTable;
pub use top::TopArgs;
