//! The commands that judge policies before they serve. They need no running gateway.

mod data;
pub mod evaluate;
pub mod learn;
pub mod replay;
mod routing;
