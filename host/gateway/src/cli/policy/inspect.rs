//! `pointsman policy inspect`

mod text;

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use clap::Args as ClapArgs;
use pointsman_config::{BUILTIN, BUILTIN_POLICIES};
use pointsman_policy::inspect;

use super::{CommandError, print};
use crate::builtin;

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// The policy: the path of a WebAssembly file, or `builtin:NAME`
    #[arg(value_name = "FILE")]
    source: String,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Reads a policy and describes it. Nothing of it is compiled or run.
pub(super) fn run(args: Args) -> Result<(), CommandError> {
    let bytes = read(&args.source)?;
    let inspection =
        inspect(&bytes).map_err(|error| CommandError::Input(format!("error: {}: {error}", args.source)))?;
    if args.json {
        return print(serde_json::to_string_pretty(&inspection).map_err(CommandError::run)?);
    }
    print(text::describe(&args.source, &inspection).trim_end())
}

fn read(source: &str) -> Result<Cow<'static, [u8]>, CommandError> {
    let Some(name) = source.strip_prefix(BUILTIN) else {
        let read = fs::read(Path::new(source));
        return read
            .map(Cow::Owned)
            .map_err(|error| CommandError::Input(format!("error: cannot read {source}: {error}")));
    };
    builtin::bytes(name).map(Cow::Borrowed).ok_or_else(|| {
        let known = BUILTIN_POLICIES.join(", ");
        CommandError::Input(format!(
            "error: there is no built-in policy `{name}`\n  = hint: built-in policies: {known}"
        ))
    })
}
