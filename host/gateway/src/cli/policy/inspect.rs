//! `pointsman policy inspect`

mod text;

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use clap::Args as ClapArgs;
use pointsman_policy::inspect;

use super::{Failure, print};
use crate::builtin;
use pointsman_config::{BUILTIN, BUILTIN_POLICIES};

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// The policy: the path of a WebAssembly file, or `builtin:NAME`
    #[arg(value_name = "FILE")]
    source: String,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Reads the file and tells what is in it. Nothing of it is compiled or run.
pub(super) fn run(args: Args) -> Result<(), Failure> {
    let bytes = read(&args.source)?;
    let inspection =
        inspect(&bytes).map_err(|error| Failure::Input(format!("error: {}: {error}", args.source)))?;
    if args.json {
        return print(serde_json::to_string_pretty(&inspection).map_err(Failure::run)?);
    }
    print(text::describe(&args.source, &inspection).trim_end())
}

fn read(source: &str) -> Result<Cow<'static, [u8]>, Failure> {
    let Some(name) = source.strip_prefix(BUILTIN) else {
        let read = fs::read(Path::new(source));
        return read
            .map(Cow::Owned)
            .map_err(|error| Failure::Input(format!("error: cannot read {source}: {error}")));
    };
    builtin::bytes(name).map(Cow::Borrowed).ok_or_else(|| {
        let known = BUILTIN_POLICIES.join(", ");
        Failure::Input(format!(
            "error: there is no built-in policy `{name}`\n  = hint: built-in policies: {known}"
        ))
    })
}
