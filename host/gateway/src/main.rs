//! The `pointsman` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    pointsman_gateway::cli::main()
}
