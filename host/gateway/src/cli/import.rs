//! `pointsman import`

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand};
use pointsman_config::{Config, ConfigSource, Overrides};
use pointsman_import::Import;

use super::{CommandError, output_file, print};

/// Most bytes of a file that are read; longer ones are refused by the import.
const MAX_READ: u64 = 2 << 20;

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Convert a configuration of LiteLLM's proxy
    ///
    /// The result goes to standard output or to a file, and a report of everything that differs or
    /// has no counterpart to standard error.
    Litellm(LitellmArgs),
}

#[derive(Debug, ClapArgs)]
struct LitellmArgs {
    /// The configuration, usually `config.yaml`
    file: PathBuf,
    /// Write the result to this file, which must not exist, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the report as JSON, for programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args) -> Result<(), CommandError> {
    let Command::Litellm(args) = args.command;
    let text = read(&args.file)?;
    let name = args.file.file_name().unwrap_or_default().to_string_lossy();
    let import = pointsman_import::litellm(&name, &text)
        .map_err(|error| CommandError::Input(format!("error: {}: {error}", args.file.display())))?;
    report(&import, args.json)?;
    if import.models == 0 {
        return Err(CommandError::Input(format!(
            "error: {} has no model that can be imported\n  = hint: the report above has the reasons",
            args.file.display()
        )));
    }
    check(&import)?;
    match &args.output {
        None => print(import.toml.trim_end()),
        Some(path) => output_file::create(path, &import.toml, "--output"),
    }
}

fn read(file: &Path) -> Result<String, CommandError> {
    let mut text = String::new();
    File::open(file)
        .and_then(|file| file.take(MAX_READ).read_to_string(&mut text))
        .map_err(|error| CommandError::Input(format!("error: cannot read {}: {error}", file.display())))?;
    Ok(text)
}

/// Writes the report to standard error.
fn report(import: &Import, is_json: bool) -> Result<(), CommandError> {
    let text = if is_json {
        serde_json::to_string_pretty(import).map_err(CommandError::run)?
    } else {
        let findings = import.findings.iter().map(|finding| format!("{finding}\n"));
        let summary = format!(
            "models: {}, routes: {}, to look at: {}",
            import.models,
            import.routes,
            import.findings.len()
        );
        findings.chain([summary]).collect::<Vec<_>>().join("\n")
    };
    // The report is lost if standard error is closed.
    let _ = writeln!(io::stderr(), "{text}");
    Ok(())
}

/// Checks the result as `pointsman check` does, as if all environment variables were set.
fn check(import: &Import) -> Result<(), CommandError> {
    let source = ConfigSource {
        file: "the result",
        text: &import.toml,
        base_dir: Path::new(""),
        env: &|_| Some("set".to_owned()),
        overrides: Overrides::default(),
        now: 0,
    };
    let invalid = match Config::parse(source) {
        Ok(_) => return Ok(()),
        Err(invalid) => invalid,
    };
    Err(CommandError::Run(format!(
        "{invalid}\nerror: the import made an invalid configuration, which is a fault of it"
    )))
}
