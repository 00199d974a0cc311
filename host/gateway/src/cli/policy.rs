//! `pointsman policy`

mod inspect;
mod operate;
mod show;

use clap::{Args as ClapArgs, Subcommand};

use super::{Failure, admin, print};

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "All but `inspect` talk to the admin listener of a running gateway.")]
enum Command {
    /// Tell what a policy is and what it asks for, without running it
    Inspect(inspect::Args),
    /// List the policies, with the version that serves and how it does
    List(show::List),
    /// List the routes, with the policy that decides and the one on trial
    Routes(show::Routes),
    /// Tell who changed what, when and why
    Audit(show::Audit),
    /// Try a policy at a route beside the one that decides, or change or end a trial
    Trial(operate::Trial),
    /// Let the policy on trial at a route decide there
    Promote(operate::Promote),
    /// Go back to the version before, or at a route to the policy that is configured
    Rollback(operate::Rollback),
    /// Let one version serve, whatever the policy's source says
    Pin(operate::Pin),
    /// Let the policy's source say again which version serves
    Unpin(operate::Unpin),
    /// Let a version back in that was rolled back
    Release(operate::Release),
    /// Let a version serve that is sent from here
    Upload(operate::Upload),
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Inspect(args) => inspect::run(args),
        Command::List(args) => show::list(&args),
        Command::Routes(args) => show::routes(&args),
        Command::Audit(args) => show::audit(&args),
        Command::Trial(args) => operate::trial(&args),
        Command::Promote(args) => operate::promote(&args),
        Command::Rollback(args) => operate::rollback(&args),
        Command::Pin(args) => operate::pin(&args),
        Command::Unpin(args) => operate::unpin(&args),
        Command::Release(args) => operate::release(&args),
        Command::Upload(args) => operate::upload(&args),
    }
}
