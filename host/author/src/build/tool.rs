//! Calls of the languages' tools.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use pointsman_domain::text::is_printable;
use pointsman_terminal::CommandError;

/// Bytes of a tool's output that an error shows: the last ones.
const MAX_OUTPUT: usize = 16 << 10;

/// A tool with the way to get it.
pub(super) struct Tool {
    /// Name for messages.
    pub(super) name: &'static str,
    /// Hint on how to get it.
    pub(super) hint: &'static str,
}

impl Tool {
    /// Runs the tool to its end. `commands` are tried in turn, until one of them exists.
    ///
    /// # Errors
    /// Fails with the hint if none exists, and with the output if it fails.
    pub(super) fn run(&self, commands: impl IntoIterator<Item = Command>) -> Result<(), CommandError> {
        for mut command in commands {
            let output = match command.output() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    return Err(CommandError::Run(format!("error: cannot run {}: {error}", self.name)));
                }
                Ok(output) => output,
            };
            if output.status.success() {
                return Ok(());
            }
            let texts =
                [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            if is_missing_module(&texts[1]) {
                continue;
            }
            let text = readable(texts.concat().trim());
            return Err(CommandError::Run(format!(
                "error: {} failed ({}):\n{text}",
                self.name, output.status
            )));
        }
        Err(CommandError::Input(format!("error: {} is not installed\n  = hint: {}", self.name, self.hint)))
    }
}

/// Returns whether Python or Node reports that it does not have the tool.
fn is_missing_module(stderr: &str) -> bool {
    stderr.contains("No module named") && stderr.trim().lines().count() == 1
}

/// Returns the end of a tool's output, without characters that control a terminal.
fn readable(text: &str) -> String {
    let start = text.ceil_char_boundary(text.len().saturating_sub(MAX_OUTPUT));
    let is_kept = |character: &char| matches!(character, '\n' | '\t') || is_printable(*character);
    text[start..].chars().filter(is_kept).collect()
}

/// Returns a path that holds from any working directory.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Returns a command that runs in a folder.
pub(super) fn command(program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOL: Tool = Tool { name: "the tool", hint: "install it" };

    #[test]
    fn the_first_command_that_exists_is_run() {
        let shell = |script: &str| {
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", script]);
            shell
        };
        assert!(TOOL.run([Command::new("/nowhere/tool"), shell("true")]).is_ok());
        let missing = TOOL.run([Command::new("/nowhere/tool"), shell("echo No module named x >&2; exit 1")]);
        assert_eq!(
            missing.unwrap_err().to_string(),
            "error: the tool is not installed\n  = hint: install it"
        );
        let failed = TOOL.run([shell("echo one; printf 'two\\033[2J' >&2; exit 3")]).unwrap_err();
        assert_eq!(failed.to_string(), "error: the tool failed (exit status: 3):\none\ntwo[2J");
        assert_eq!(failed.exit_status(), 1);
    }
}
