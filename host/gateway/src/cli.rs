//! The command line.

mod admin;
mod check;
mod compile_policy;
mod key;
mod policy;
mod printable;
mod runtime;
mod schema;
mod serve;
mod top;

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// An LLM gateway whose routing is decided by WebAssembly policies.
///
/// Applications call it as they call OpenAI. A policy, a sandboxed WebAssembly
/// component, decides which model answers; it can be replaced while requests flow.
#[derive(Debug, Parser)]
#[command(name = "pointsman", version, arg_required_else_help = true)]
#[command(
    after_help = "Try it without any configuration: `pointsman serve` starts a simulated fleet of models."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the gateway
    Serve(serve::Args),
    /// Check a configuration and load its policies, without serving
    Check(check::Args),
    /// Make an API key for a client, and its hash for the configuration
    Key(key::Args),
    /// Look into policies, and change those of a running gateway
    Policy(policy::Args),
    /// Watch a running gateway in the terminal
    Top(top::Args),
    /// Print the JSON Schema of the configuration, for editors
    Schema(schema::Args),
    /// Compile a policy from standard input within limits, for a gateway that runs
    #[command(hide = true)]
    CompilePolicy(compile_policy::Args),
}

/// Why a command failed, which decides the exit status.
#[derive(Debug)]
enum Failure {
    /// The input is wrong: exit status 2.
    Input(String),
    /// The machine or the run is at fault: exit status 1.
    Run(String),
}

impl Failure {
    fn run(error: impl fmt::Display) -> Self {
        Self::Run(format!("error: {error}"))
    }
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(args) => serve::run(args),
        Command::Check(args) => check::run(args),
        Command::Key(args) => key::run(args),
        Command::Policy(args) => policy::run(args),
        Command::Top(args) => top::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::CompilePolicy(args) => return compile_policy::run(args),
    };
    let (message, status) = match result {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Input(message)) => (message, 2),
        Err(Failure::Run(message)) => (message, 1),
    };
    // Nobody is left to be told when standard error is closed.
    let _ = writeln!(io::stderr(), "{}", message.trim_end());
    ExitCode::from(status)
}

/// Writes data to standard output, where logs never go. A reader that closed its end of the
/// pipe, such as `head`, has all that it wants: the command goes on and succeeds.
fn print(text: impl fmt::Display) -> Result<(), Failure> {
    match write_stdout(text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::run(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn write_stdout(text: impl fmt::Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}
