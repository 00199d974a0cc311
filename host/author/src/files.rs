//! Files of commands: read with bounds, and written as a whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use pointsman_terminal::CommandError;

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// Fails with exit status 2 if it cannot be read, is not a regular file, or is longer.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, CommandError> {
    let unreadable = |reason: &dyn std::fmt::Display| {
        CommandError::Input(format!("error: cannot read {}: {reason}", path.display()))
    };
    let bytes = read_bounded(path, limit).map_err(|error| unreadable(&error))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) {
        return Ok(bytes);
    }
    let limit = if limit < 1 << 20 { format!("{} KiB", limit >> 10) } else { format!("{} MiB", limit >> 20) };
    Err(unreadable(&format!("it is longer than {limit}")))
}

/// Reads a text file of at most `limit` bytes.
///
/// # Errors
/// Fails with exit status 2 as [`read`] does, and if the file is not text in UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String, CommandError> {
    String::from_utf8(read(path, limit)?)
        .map_err(|_| CommandError::Input(format!("error: {} is not text in UTF-8", path.display())))
}

/// Writes a file, replacing an older one at once.
///
/// # Errors
/// Fails with exit status 1 if it cannot be written, in which case an older one is unchanged.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    let temporary = beside(path);
    let written = write_new(&temporary, bytes, false).and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&temporary);
        unwritable(path, &error)
    })
}

/// Creates a file, readable only by its owner if it is secret.
///
/// # Errors
/// Fails with exit status 2 if there is one already, and with 1 if it cannot be written.
pub fn create(path: &Path, bytes: &[u8], is_secret: bool) -> Result<(), CommandError> {
    write_new(path, bytes, is_secret).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => CommandError::Input(format!(
            "error: {} exists already\n  = hint: name another file, or move that one away",
            path.display()
        )),
        _ => unwritable(path, &error),
    })
}

/// Reads at most one byte more than the limit, by which the caller sees that the file is longer.
fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // Opening a named pipe would block until another process writes to it.
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn write_new(path: &Path, bytes: &[u8], is_secret: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if is_secret {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut file = options.open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// Returns the path of a temporary file in the same folder, from which a rename is atomic.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.partial", std::process::id()))
}

fn unwritable(path: &Path, error: &io::Error) -> CommandError {
    CommandError::Run(format!("error: cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, vec![b'a'; 2 << 10]).unwrap();
        assert_eq!(read_text(&path, 2 << 10).unwrap().len(), 2 << 10);
        let error = read(&path, 1 << 10).unwrap_err();
        assert!(error.to_string().ends_with("/a: it is longer than 1 KiB"), "{error}");
        let error = read(folder.path(), 1).unwrap_err();
        assert!(error.to_string().ends_with("it is not a regular file"), "{error}");
        assert_eq!(read(&folder.path().join("b"), 1).unwrap_err().exit_status(), 2);
    }

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for text in ["first", "second"] {
            replace(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let error = replace(&folder.path().join("no/such"), b"").unwrap_err();
        assert_eq!(error.exit_status(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_file_is_its_owners_and_no_file_is_overwritten() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        create(&path, b"secret", true).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let error = create(&path, b"other", true).unwrap_err();
        assert_eq!(error.exit_status(), 2);
        assert_eq!(fs::read_to_string(&path).unwrap(), "secret");
    }
}
