//! Project tasks: `cargo xtask demo`, `cargo xtask test` and what helps with them.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a task talks to the terminal it was started from"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "tasks read the environment of their shell, and are not the gateway"
)]

mod cargo;
mod clients;
mod crate_arrows;
mod crate_sizes;
mod demo;
mod lint;
mod module_cycles;
mod policies;
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
    /// Show the gateway at work on a simulated fleet, then keep it serving
    Demo(demo::Args),
    /// Install what the tests need, then run all of them
    Test(suite::Args),
    /// Take the pictures in docs/images of the live page, after some minutes of load
    Screenshots(screenshots::Args),
    /// Check format, lints and the arrows between the crates
    Lint,
    /// Run the benches: decisions in process, bytes, backends
    Bench,
    /// Measure the built-in policies on recorded routing outcomes
    Eval {
        /// For the evaluation: `--data DIR`, `--sweep`, `--kinds`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Regenerate the SDK's bindings from wit/, or compare them
    Bindings {
        /// Only tell whether they are what wit/ says
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
        Task::Bench => cargo::run(&["bench", "--workspace", "--benches"]),
        Task::Eval { args } => {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            cargo::run(&[&["run", "--release", "--package", "eval", "--"], &args[..]].concat())
        }
        Task::Bindings { check } => {
            let check: &[&str] = if check { &["--check"] } else { &[] };
            cargo::run(&[&["run", "--quiet", "--package", "bindings", "--"], check].concat())
        }
    }
}
