//! `cargo xtask lint`: format, dependencies, module cycles, crate sizes and clippy.

use anyhow::Result;

use crate::{cargo, crate_arrows, crate_sizes, module_cycles, one_build, workspace};

pub fn run() -> Result<()> {
    cargo::run(&["fmt", "--all", "--check"])?;
    let metadata = workspace::metadata()?;
    let packages = workspace::packages(&metadata)?;
    crate_arrows::check(&metadata)?;
    module_cycles::check(&packages)?;
    crate_sizes::check(&packages)?;
    one_build::check()?;
    cargo::ensure_wasm_target()?;
    cargo::run(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])
}
