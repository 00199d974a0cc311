//! `pointsman policy`

mod inspect;

use clap::{Args as ClapArgs, Subcommand};
use pointsman_operator::PolicyCommand;

use super::{CommandError, print};

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "All but `inspect` talk to the admin listener of a running gateway.")]
enum Command {
    /// Show the contract, imports and limits of a policy without running it
    Inspect(inspect::Args),
    #[command(flatten)]
    Operate(PolicyCommand),
}

pub(super) fn run(args: Args) -> Result<(), CommandError> {
    match args.command {
        Command::Inspect(args) => inspect::run(args),
        Command::Operate(command) => command.run(),
    }
}
