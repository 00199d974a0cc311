//! Compiles one policy within limits, for programs that use this crate without a command of their own
//! for it; see `pointsman_policy::ChildCompiler`.

use std::process::ExitCode;

use pointsman_policy::{FUEL_ARGUMENT, FuelCounting};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut numbers = arguments.iter().map_while(|argument| argument.parse().ok());
    let counts = arguments.iter().any(|argument| argument == FUEL_ARGUMENT);
    let fuel = if counts { FuelCounting::On } else { FuelCounting::Off };
    match (numbers.next(), numbers.next()) {
        (Some(memory), Some(seconds)) => pointsman_policy::compiler_process(memory, seconds, fuel),
        _ => ExitCode::from(2),
    }
}
