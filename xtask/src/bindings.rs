//! `cargo xtask bindings [--check]`: regenerates the SDK's bindings from `wit/`.

use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Runs the generator, which is a package of its own so that the other tasks do
/// not wait for it to build. With `check` it writes nothing and fails if the
/// files do not match.
pub fn run(check: bool) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--package", "bindings", "--"]);
    if check {
        command.arg("--check");
    }
    let status = command.status().context("cargo could not be started")?;
    ensure!(status.success(), "the bindings are not up to date");
    Ok(())
}
