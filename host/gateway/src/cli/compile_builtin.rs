//! `pointsman compile-builtin`: compiles the built-in policies, for the build of a release.

use std::fs;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use pointsman_policy::precompile;

use super::CommandError;
use crate::builtin;

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Target triple of the program that the code becomes part of
    target: String,
    /// Directory for each policy as `NAME.wasm` and `NAME.cwasm`
    directory: PathBuf,
}

pub(super) fn run(args: Args) -> Result<(), CommandError> {
    fs::create_dir_all(&args.directory).map_err(CommandError::run)?;
    for name in builtin::names() {
        let bytes = builtin::bytes(name).unwrap_or_default();
        let native = precompile(bytes, &args.target).map_err(CommandError::run)?;
        let path = args.directory.join(name);
        fs::write(path.with_extension("wasm"), bytes).map_err(CommandError::run)?;
        fs::write(path.with_extension("cwasm"), native).map_err(CommandError::run)?;
    }
    Ok(())
}
