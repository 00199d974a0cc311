//! The commands, a module each.

pub mod bench;
pub mod build;
pub mod diff;
pub mod fuzz;
pub mod index;
pub mod new;
pub mod run;
pub mod source;
pub mod test;
