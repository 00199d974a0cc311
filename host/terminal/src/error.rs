//! Failures of commands.

use std::fmt;

/// Failure of a command, with the message for standard error. The variant determines the exit
/// status.
#[derive(Debug)]
pub enum CommandError {
    /// The input is wrong: exit status 2.
    Input(String),
    /// The machine, the run or a check failed: exit status 1.
    Run(String),
    /// A policy cannot be loaded: exit status 3.
    Load(String),
}

impl CommandError {
    /// Wraps an error of the machine or the run.
    pub fn run(error: impl fmt::Display) -> Self {
        Self::Run(format!("error: {error}"))
    }

    /// Returns the exit status.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            Self::Run(_) => 1,
            Self::Load(_) => 3,
        }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(message) | Self::Run(message) | Self::Load(message) => {
                f.write_str(message.trim_end())
            }
        }
    }
}
