//! Tasks of the project: `cargo xtask demo`, `cargo xtask test` and others.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "tasks print to the terminal")]
#![expect(
    clippy::disallowed_methods,
    reason = "tasks read the environment of their shell; the ban is for the gateway"
)]

mod cargo;
mod clients;
mod crate_arrows;
mod crate_sizes;
mod demo;
mod lint;
mod module_cycles;
mod one_build;
mod package;
mod policies;
mod release;
mod screenshots;
mod source;
mod suite;
mod tools;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Tasks of the project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run the gateway on a simulated fleet, show what it does, and keep it running
    Demo(demo::Args),
    /// Install everything that the tests need, then run them
    Test(suite::Args),
    /// Take the pictures of the live page in docs/images, after some minutes of load
    Screenshots(screenshots::Args),
    /// Check format, dependencies and their features, module cycles, crate sizes and clippy's lints
    Lint,
    /// Package the gateway and the SDK into target/package, and check the packages
    Package,
    /// Build what users install without a compiler, in target/dist: archive, wheel, packages for npm
    Release(release::Args),
    /// Run the benchmarks
    Bench,
    /// Regenerate the SDK's bindings from wit/
    Bindings {
        /// Change nothing, and fail if the bindings do not match wit/
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    let Err(error) = run(Cli::parse().task) else { return ExitCode::SUCCESS };
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Demo(args) => demo::run(args),
        Task::Test(args) => suite::run(args),
        Task::Screenshots(args) => screenshots::run(args),
        Task::Lint => lint::run(),
        Task::Package => package::run(),
        Task::Release(args) => release::run(args),
        Task::Bench => cargo::run(&["bench", "--workspace", "--benches"]),
        Task::Bindings { check } => {
            let check: &[&str] = if check { &["--check"] } else { &[] };
            cargo::run(&[&["run", "--quiet", "--package", "bindings", "--"], check].concat())
        }
    }
}
