//! `pointsman compile-policy`: the process in which the gateway compiles a policy.

use std::process::ExitCode;

use clap::Args as ClapArgs;

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Memory limit in bytes
    memory: u64,
    /// Limit on processor time, in seconds
    seconds: u64,
}

/// The name of the command.
pub(super) const NAME: &str = "compile-policy";

pub(super) fn run(args: Args) -> ExitCode {
    pointsman_policy::compiler_process(args.memory, args.seconds)
}
