//! Files that commands create and never replace.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::CommandError;

/// Creates a file with a text. `option` names another file, for the hint.
///
/// # Errors
/// Fails with exit status 2 if there is such a file already or it cannot be created, and 1 if it cannot be written.
pub(super) fn create(path: &Path, text: &str, option: &str) -> Result<(), CommandError> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => CommandError::Input(format!(
            "error: {} exists\n  = hint: remove it, or name another file with {option}",
            path.display()
        )),
        _ => CommandError::Input(format!("error: cannot write {}: {error}", path.display())),
    })?;
    file.write_all(text.as_bytes()).map_err(|error| {
        // An incomplete file must not be taken for the result.
        let _ = fs::remove_file(path);
        CommandError::run(format_args!("cannot write {}: {error}", path.display()))
    })
}
