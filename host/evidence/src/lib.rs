//! The commands that judge policies before they serve. They need no running gateway.

pub mod compare;
mod data;
pub mod evaluate;
pub mod figures;
pub mod learn;
pub mod policy_chain;
pub mod replay;
mod routing;
pub mod simulate;
pub mod simulated_run;
pub mod workload;
pub mod world;
