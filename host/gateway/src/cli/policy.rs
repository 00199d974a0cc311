//! `pointsman policy`

mod inspect;

use clap::{Args as ClapArgs, Subcommand};

use super::{Failure, print};

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell what a policy is and what it asks for, without running it
    Inspect(inspect::Args),
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Inspect(args) => inspect::run(args),
    }
}
