//! `pointsman policy`

mod inspect;

use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};
use pointsman_author::{AuthorCommand, Toolbox};
use pointsman_config::{BUILTIN_POLICIES, Compile, environment, source_proxies};
use pointsman_operator::PolicyCommand;

use super::{CommandError, print, runtime};
use crate::builtin;

/// Longest time to compile a policy for its author, who can interrupt it.
const COMPILE_TIME: Duration = Duration::from_secs(600);

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[command(
    after_help = "`inspect`, `new`, `build`, `test`, `run`, `bench`, `push`, `pull`, `keygen`, `sign` and `verify` \
                  work without a gateway; the others talk to the admin listener of a running one."
)]
enum Command {
    /// Show the contract, imports and limits of a policy without running it
    Inspect(inspect::Args),
    #[command(flatten)]
    Author(AuthorCommand),
    #[command(flatten)]
    Operate(PolicyCommand),
}

pub(super) fn run(args: Args) -> Result<(), CommandError> {
    match args.command {
        Command::Inspect(args) => inspect::run(args),
        Command::Author(command) => command.run(&toolbox()?),
        Command::Operate(command) => command.run(),
    }
}

/// Returns the services for the commands of authors.
pub(super) fn toolbox() -> Result<Toolbox, CommandError> {
    Ok(Toolbox {
        compiler: runtime::child_compiler(&Compile { timeout: COMPILE_TIME, ..Compile::default() })?,
        code_cache: runtime::author_cache(),
        builtin: builtin::bytes,
        builtin_lines: builtin::lines,
        builtin_names: BUILTIN_POLICIES,
        variable: environment,
        proxies: || source_proxies(&environment),
    })
}
