//! Format, lints, and the arrows between the crates.

use anyhow::Result;

use crate::{arrows, cargo};

pub fn run() -> Result<()> {
    cargo::run(&["fmt", "--all", "--check"])?;
    arrows::check()?;
    cargo::ensure_wasm_target()?;
    cargo::run(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])
}
