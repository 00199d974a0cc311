//! Runs the tools that tests and example policies need.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Does the work, unless the file `done` records that it was done for the same inputs.
pub fn unless_done(inputs: &[u8], done: &Path, work: impl FnOnce() -> Result<()>) -> Result<()> {
    if std::fs::read(done).is_ok_and(|earlier| earlier == inputs) {
        return Ok(());
    }
    work()?;
    std::fs::write(done, inputs)?;
    Ok(())
}

/// Runs a command that installs or builds something that the tests need.
pub fn run(command: &mut Command, what: &str) -> Result<()> {
    println!("$ {command:?}");
    let hint = "hint: without network access, run `cargo xtask test --offline`";
    let status = command.status().with_context(|| format!("the tests need {what}; {hint}"))?;
    ensure!(status.success(), "cannot get or use {what}; {hint}");
    Ok(())
}
