//! `cargo xtask demo`: builds the gateway, and runs `pointsman demo`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cargo;

#[derive(clap::Args)]
pub struct Args {
    /// Exit after the demonstration instead of keeping the gateway running
    #[arg(long)]
    once: bool,
    /// Use this gateway binary instead of building one
    #[arg(long)]
    binary: Option<PathBuf>,
}

pub fn run(args: Args) -> Result<()> {
    let binary = match args.binary {
        Some(binary) => binary,
        None => {
            println!("Building the gateway and its policies (the first time takes some minutes) ...");
            cargo::build_gateway()?.binary
        }
    };
    let mut demo = Command::new(&binary);
    demo.arg("demo").args(args.once.then_some("--once"));
    let status = demo.status().with_context(|| format!("cannot start {}", binary.display()))?;
    ensure!(status.success(), "the demonstration failed");
    Ok(())
}
