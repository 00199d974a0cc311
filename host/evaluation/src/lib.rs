//! Measures of routing, as pure functions: nothing here reads a file or runs a policy.

pub mod graded;
pub mod learning;
pub mod off_policy;
pub mod random;
pub mod simulation;
pub mod trade_off;
