//! `pointsman key`

use clap::Args as ClapArgs;
use pointsman_config::keys;

use super::{CommandError, print};

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Name of the key in the configuration
    #[arg(default_value = "my-app")]
    name: String,
}

/// Prints a new key and the configuration for it. The key is not stored.
pub(super) fn run(args: Args) -> Result<(), CommandError> {
    let new = keys::generate().map_err(CommandError::run)?;
    print(format_args!(
        "key:  {}\n\nGive it to the client; it is shown only now. Add to pointsman.toml:\n\n[keys.{}]\nhash = \"{}\"",
        new.key, args.name, new.hash
    ))
}
