//! The command line.

mod check;
mod compile_builtin;
mod compile_policy;
mod demo;
mod dev;
mod import;
mod init;
mod key;
mod models;
mod output_file;
mod policy;
mod run_case;
mod runtime;
mod schema;
mod serve;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use pointsman_operator::{CommandError, HealthArgs, TextTable, TopArgs, print, write_stdout};

use crate::playground::COMMAND;

/// An LLM gateway whose routing is decided by WebAssembly policies.
///
/// Applications call it as they call OpenAI. A policy, a sandboxed WebAssembly
/// component, decides which model answers; it can be replaced while requests flow.
#[derive(Debug, Parser)]
#[command(name = "pointsman", version, arg_required_else_help = true)]
#[command(
    after_help = "Try it without any configuration: `pointsman demo` shows what it does, and `pointsman serve` starts a simulated fleet of models."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the gateway
    Serve(serve::Args),
    /// Show routing, orchestration and a hot swap on simulated models
    Demo(pointsman_demo::Args),
    /// Write a configuration for the providers of this environment
    Init(init::Args),
    /// Check a configuration and load its policies, without serving
    Check(check::Args),
    /// Convert the configuration of another gateway
    Import(import::Args),
    /// Create, list, rotate, disable and delete API keys of clients
    Key(Box<key::Args>),
    /// List, search and show the models that are known with their prices
    Models(models::Args),
    /// Develop a policy: build it, swap it into a local gateway and run its cases at each change
    Dev(pointsman_dev::Args),
    /// Evaluate policies on recorded outcomes, beside the baselines that a router has to beat
    Evaluate(Box<pointsman_evidence::evaluate::Args>),
    /// Learn settings of the policy `learned` from recorded outcomes or rated decisions
    Learn(Box<pointsman_evidence::learn::Args>),
    /// Inspect policies, and operate those of a running gateway
    Policy(Box<policy::Args>),
    /// Decide the requests of decision logs again with another policy, and estimate what it would change
    Replay(Box<pointsman_evidence::replay::Args>),
    /// Simulate a route under load: cost, latency and queues, without calling a model
    Simulate(Box<pointsman_evidence::simulate::Args>),
    /// Compare configurations or routes on the same requests: cost, latency, complexity, payback
    Compare(Box<pointsman_evidence::compare::Args>),
    /// Show the status of a running gateway in the terminal
    Top(TopArgs),
    /// Check the health of a running gateway, for health checks of containers
    Health(HealthArgs),
    /// Print the JSON Schema of the configuration, for editors
    Schema(schema::Args),
    /// Run a case from standard input, for the playground of a running gateway
    #[command(hide = true, name = COMMAND)]
    RunCase,
    /// Compile the built-in policies, for the build of a release
    #[command(hide = true)]
    CompileBuiltin(compile_builtin::Args),
    /// Compile a policy from standard input within limits, for a running gateway
    #[command(hide = true)]
    CompilePolicy(compile_policy::Args),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(args) => serve::run(args),
        Command::Check(args) => check::run(args),
        Command::Demo(args) => demo::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Import(args) => import::run(args),
        Command::Key(args) => key::run(*args),
        Command::Models(args) => models::run(args),
        Command::Dev(args) => dev::run(&args),
        Command::Evaluate(args) => {
            policy::toolbox().and_then(|toolbox| pointsman_evidence::evaluate::run(&args, &toolbox))
        }
        Command::Learn(args) => {
            policy::toolbox().and_then(|toolbox| pointsman_evidence::learn::run(&args, &toolbox))
        }
        Command::Policy(args) => policy::run(*args),
        Command::Replay(args) => {
            policy::toolbox().and_then(|toolbox| pointsman_evidence::replay::run(&args, &toolbox))
        }
        Command::Simulate(args) => {
            policy::toolbox().and_then(|toolbox| pointsman_evidence::simulate::run(&args, &toolbox))
        }
        Command::Compare(args) => {
            policy::toolbox().and_then(|toolbox| pointsman_evidence::compare::run(&args, &toolbox))
        }
        Command::Top(args) => args.run(),
        Command::Health(args) => args.run(),
        Command::Schema(args) => schema::run(&args),
        Command::RunCase => return run_case::run(),
        Command::CompileBuiltin(args) => compile_builtin::run(args),
        Command::CompilePolicy(args) => return compile_policy::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The message is lost if standard error is closed.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::from(error.exit_status())
        }
    }
}
