//! `cargo xtask screenshots`: builds the gateway, and takes the pictures of its live page.

use anyhow::{Context, Result, ensure};

use crate::cargo::{self, cargo};
use crate::clients;

#[derive(clap::Args)]
pub struct Args {
    /// Seconds of load before the pictures are taken
    #[arg(long, default_value_t = 305)]
    seconds: u64,
}

pub fn run(args: Args) -> Result<()> {
    let modules = clients::node_modules()?;
    let chromium = clients::chromium()?.context("taking pictures needs chromium")?;
    let gateway = cargo::build_gateway()?;
    let mut pictures = cargo();
    pictures.args(["run", "--quiet", "--package", "screenshots", "--"]);
    pictures.args(["--seconds", &args.seconds.to_string()]);
    pictures.arg("--binary").arg(&gateway.binary).arg("--policies").arg(&gateway.policies);
    pictures.arg("--node-modules").arg(modules).arg("--chromium").arg(chromium);
    ensure!(pictures.status().context("cannot run cargo")?.success(), "the pictures were not taken");
    Ok(())
}
