//! `pointsman compile-policy`: the process in which the gateway compiles a policy.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use pointsman_policy::FuelCounting;

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Memory limit in bytes
    memory: u64,
    /// Limit on processor time, in seconds
    seconds: u64,
    /// Make code that counts its instructions
    #[arg(long)]
    fuel: bool,
}

/// The name of the command.
pub(super) const NAME: &str = "compile-policy";

pub(super) fn run(args: Args) -> ExitCode {
    let fuel = if args.fuel { FuelCounting::On } else { FuelCounting::Off };
    pointsman_policy::compiler_process(args.memory, args.seconds, fuel)
}
