//! `pointsman key`

use clap::Args as ClapArgs;
use pointsman_config::keys;
use pointsman_operator::KeyCommand;

use super::{CommandError, print};

#[derive(Debug, ClapArgs)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "The subcommands talk to the admin listener of a running gateway, which stores keys in its state directory. \
                  Without one, `pointsman key NAME` prints a key and its hash for the configuration file:\n\n  \
                  pointsman key create phone > phone.key        # works at once, without a reload\n  \
                  pointsman key list\n  \
                  pointsman key phone                           # for [keys.phone] in pointsman.toml"
)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<KeyCommand>,
    /// Name of a key for the configuration file
    #[arg(default_value = "my-app")]
    name: String,
}

/// Runs a subcommand, or prints a new key and the configuration for it, which is not stored.
pub(super) fn run(args: Args) -> Result<(), CommandError> {
    if let Some(command) = args.command {
        return command.run();
    }
    let new = keys::generate().map_err(CommandError::run)?;
    print(format_args!(
        "key:  {}\n\nGive it to the client; it is shown only now. Add to pointsman.toml:\n\n[keys.{}]\nhash = \"{}\"",
        new.key, args.name, new.hash
    ))
}
