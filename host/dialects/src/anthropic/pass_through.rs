//! Both ends speak this protocol: bytes are forwarded with small edits, so members that the gateway
//! does not know survive.
//!
//! A whole answer is forwarded unchanged; [`parse_answer`](super::parse_answer) reads its usage and
//! its text.

mod body;
mod relay;

pub use self::body::{MessagesBody, has_foreign_reasoning};
pub use self::relay::MessagesRelay;
