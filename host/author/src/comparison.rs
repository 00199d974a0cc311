//! Comparison of two policies: what their files need and offer, and what they decide.

pub mod decisions;
pub mod file;
