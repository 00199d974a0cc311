//! Compiles one policy within limits, for programs that use this crate without a command of their own
//! for it; see `pointsman_policy::ChildCompiler`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map_while(|argument| argument.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(memory), Some(seconds)) => pointsman_policy::compiler_process(memory, seconds),
        _ => ExitCode::from(2),
    }
}
