//! The policies of `docs/cookbook.md`. A crate of its own has one of them, and `export!` below it.

pub mod ab_test;
pub mod by_length;
pub mod by_tenant;
pub mod by_tools;
pub mod residency;
pub mod session;
pub mod tenant_limit;

#[cfg(test)]
mod tests;
