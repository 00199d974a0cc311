//! The commands that judge policies before they serve. They need no running gateway.

pub mod replay;
