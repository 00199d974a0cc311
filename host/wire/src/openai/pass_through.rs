//! Forwarding between a client and a provider that both speak this protocol.
//!
//! A request is forwarded as the client wrote it, except for the few members that each call sets.
//! An answer is returned as the provider wrote it, with the usage hidden or corrected.

mod call;
mod relay;
mod task;
mod usage;

pub use self::call::CallMembers;
pub use self::relay::StreamRelay;
pub use self::task::TaskBody;
pub use self::usage::with_usage;
