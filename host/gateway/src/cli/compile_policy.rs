//! `pointsman compile-policy`: what the gateway starts to compile a policy.

use std::process::ExitCode;

use clap::Args as ClapArgs;

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Most memory in bytes
    memory: u64,
    /// Most processor time in seconds
    seconds: u64,
}

/// The name of the command.
pub(super) const NAME: &str = "compile-policy";

pub(super) fn run(args: Args) -> ExitCode {
    pointsman_policy::compiler_process(args.memory, args.seconds)
}
