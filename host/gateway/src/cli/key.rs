//! `pointsman key`

use clap::Args as ClapArgs;

use super::{Failure, print};
use pointsman_config::keys;

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// What to call the key in the configuration
    #[arg(default_value = "my-app")]
    name: String,
}

/// Prints a new key and what to put into the configuration. The key is kept nowhere.
pub(super) fn run(args: Args) -> Result<(), Failure> {
    let new = keys::generate().map_err(Failure::run)?;
    print(format_args!(
        "key:  {}\n\nGive it to the client; it is shown only now. Add to pointsman.toml:\n\n[keys.{}]\nhash = \"{}\"",
        new.key, args.name, new.hash
    ))
}
