//! Policies of a folder.

use std::fs;
use std::path::{Path, PathBuf};

use pointsman_supply::signature_path;
use pointsman_terminal::CommandError;

use super::entry::{MAX_POLICIES, SourcePolicy};

/// Largest file that is read as a policy, in bytes.
const MAX_POLICY_BYTES: u64 = 256 << 20;
/// Largest file that is read as a signature, in bytes.
const MAX_SIGNATURE_BYTES: u64 = 64 << 10;

/// Returns the files of the policies of a folder in the order of their names.
///
/// # Errors
/// Fails with exit status 2 if the folder cannot be read, or has no WebAssembly files or too many.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let unreadable = |error: std::io::Error| {
        CommandError::Input(format!("error: cannot read the folder {}: {error}", folder.display()))
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") && path.is_file() {
            paths.push(path);
        }
    }
    if paths.is_empty() || paths.len() > MAX_POLICIES {
        return Err(CommandError::Input(format!(
            "error: {} has {} .wasm files\n  = hint: name a folder with 1 to {MAX_POLICIES} built policies",
            folder.display(),
            paths.len()
        )));
    }
    paths.sort();
    Ok(paths)
}

/// Reads a policy and its signature.
pub(super) fn policy(path: &Path) -> SourcePolicy {
    let signature = signature_path(path);
    let text = read(&signature, MAX_SIGNATURE_BYTES);
    SourcePolicy {
        name: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        tags: Vec::new(),
        bytes: read(path, MAX_POLICY_BYTES).map(Into::into),
        // A signature that cannot be read is malformed, not absent.
        signature: signature
            .exists()
            .then(|| text.map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()),
    }
}

fn read(path: &Path, max_bytes: u64) -> Result<Vec<u8>, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > max_bytes {
        return Err(format!("it is {length} bytes long, more than {max_bytes}"));
    }
    fs::read(path).map_err(|error| error.to_string())
}
