//! `cargo xtask test`

use std::process::Command;

use anyhow::{Result, ensure};

use crate::{cargo, clients};

#[derive(clap::Args)]
pub struct Args {
    /// Only tests whose name contains this
    filter: Option<String>,
    /// Leave out what needs packages from PyPI, npm and Debian: real clients, models, registry, browser
    #[arg(long, conflicts_with = "filter")]
    offline: bool,
}

/// Runs all tests: format, lints and arrows first, since they are quick to tell.
pub fn run(args: Args) -> Result<()> {
    ensure!(!(args.offline && clients::is_ci()), "--offline leaves tests out, which CI does not allow");
    let gateway = cargo::build_gateway()?;
    let mut tests = cargo::cargo();
    tests.args(["test", "--workspace"]).env("POINTSMAN_BIN", &gateway.binary);
    if let Some(filter) = &args.filter {
        tests.arg(filter);
    }
    if !args.offline {
        clients::install()?.tell(&mut tests);
    }
    succeed(tests)
}

fn succeed(mut command: Command) -> Result<()> {
    ensure!(command.status()?.success(), "tests failed");
    Ok(())
}
