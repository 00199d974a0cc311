//! The commands, a module each.

pub mod bench;
pub mod build;
pub mod diff;
pub mod fuzz;
pub mod index;
pub mod keygen;
pub mod new;
pub mod pull;
pub mod push;
pub mod run;
pub mod sign;
pub mod source;
pub mod test;
pub mod verify;
