//! What no gateway may tell: it is in the requests, keys and headers that tests
//! send, and is looked for in all that a gateway wrote when it ends.

use std::fs;
use std::path::{Path, PathBuf};

/// A part of every secret that is planted.
pub const PLANTED: &str = "planted-3f9c17";
/// The environment variable with a backend's key, in every gateway.
pub const BACKEND_KEY_ENV: &str = "PLANTED_BACKEND_KEY";
/// That key.
pub const BACKEND_KEY: &str = "sk-planted-3f9c17-backend-key";

/// The files below a directory that have something planted in them, with the line.
pub fn in_files(directory: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(in_files(&path));
        } else if let Some(line) =
            fs::read(&path).ok().and_then(|bytes| in_text(&String::from_utf8_lossy(&bytes)))
        {
            found.push((path, line));
        }
    }
    found
}

/// The first line with something planted in it.
pub fn in_text(text: &str) -> Option<String> {
    text.lines().find(|line| line.contains(PLANTED)).map(str::to_owned)
}
