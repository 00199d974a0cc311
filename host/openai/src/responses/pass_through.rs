//! Forwarding between a client and a provider that both speak the API.
//!
//! A request is forwarded as the client wrote it, except for the members that each call sets. An
//! answer is forwarded as the provider wrote it, and is read along the way.

mod answer;
mod body;
mod relay;

pub use self::answer::{ResponseFacts, read_answer};
pub use self::body::ResponsesBody;
pub use self::relay::ResponsesRelay;
