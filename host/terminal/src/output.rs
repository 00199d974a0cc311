//! Output of commands.

use std::fmt;
use std::io::{self, Write};

use crate::CommandError;

/// Writes data to standard output, where logs never go. A reader that closes its end of the
/// pipe early, such as `head`, is not an error.
pub fn print(text: impl fmt::Display) -> Result<(), CommandError> {
    match write_stdout(text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CommandError::run(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a line to standard output and flushes it.
pub fn write_stdout(text: impl fmt::Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}
