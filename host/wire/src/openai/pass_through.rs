//! Forwarding between a client and a provider that both speak this protocol.
//!
//! A request goes on as the client wrote it, with the few members that each call sets. An answer
//! goes back as the provider wrote it, with the usage corrected or hidden.

mod call;
mod relay;
mod task;
mod usage;

pub use self::call::CallMembers;
pub use self::relay::StreamRelay;
pub use self::task::{TaskBody, TaskOutputs};
pub use self::usage::with_usage;
