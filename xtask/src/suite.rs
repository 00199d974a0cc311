//! `cargo xtask test`: all tests, with everything they need installed.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::{cargo, clients, release};

/// Modules of the tests that need the packages of a release.
const PACKAGED: [&str; 2] = ["deployment", "packages"];

#[derive(clap::Args)]
pub struct Args {
    /// Only tests whose name contains this
    filter: Option<String>,
    /// Skip tests that need packages from PyPI, npm or Debian: real clients, models, registry, browser
    #[arg(long, conflicts_with = "filter")]
    offline: bool,
}

/// Builds the gateway, then runs all tests, or those that the filter selects.
pub fn run(args: Args) -> Result<()> {
    ensure!(!(args.offline && clients::is_ci()), "--offline skips tests, which CI does not allow");
    let gateway = cargo::build_gateway()?;
    let mut tests = cargo::cargo();
    tests.args(["test", "--workspace"]).env("POINTSMAN_BIN", &gateway.binary);
    if let Some(filter) = &args.filter {
        tests.arg(filter);
    }
    if !args.offline {
        clients::install()?.set_variables(&mut tests);
        if args.filter.is_none_or(|filter| PACKAGED.iter().any(|tests| filter.contains(tests))) {
            tests.env("POINTSMAN_TEST_PACKAGES", release::build_for_tests()?);
        }
    }
    succeed(tests)
}

fn succeed(mut command: Command) -> Result<()> {
    ensure!(command.status()?.success(), "tests failed");
    Ok(())
}
