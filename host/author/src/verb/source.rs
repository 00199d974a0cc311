//! The policy that a command is given: a folder, a WebAssembly file or a built-in policy.

use std::path::{Path, PathBuf};

use pointsman_terminal::CommandError;

use crate::Toolbox;
use crate::build;
use crate::subject::PolicyFile;

/// Folder of cases in the folder of a policy.
const CASES: &str = "cases";

/// Reads a policy. A folder is built first.
///
/// # Errors
/// Fails if the folder does not build, there is no such file, or it is no policy.
pub fn policy(source: &str, toolbox: &Toolbox) -> Result<PolicyFile, CommandError> {
    if Path::new(source).is_dir() {
        return super::build::checked(&build::folder(Path::new(source))?, toolbox);
    }
    PolicyFile::read(source, toolbox)
}

/// Returns the folder or file of cases: the given one, or `cases` in the folder of the policy or in
/// the current one.
///
/// # Errors
/// Fails if it does not exist.
pub fn cases(source: &str, given: Option<&Path>) -> Result<PathBuf, CommandError> {
    let source = Path::new(source);
    let path = match given {
        Some(path) => path.to_owned(),
        None if source.is_dir() => source.join(CASES),
        None => PathBuf::from(CASES),
    };
    if path.exists() {
        return Ok(path);
    }
    Err(CommandError::Input(format!(
        "error: there are no cases at {}\n  = hint: create the folder, or name another one with --cases; \
         docs/policy-cases.md describes the format",
        path.display()
    )))
}
