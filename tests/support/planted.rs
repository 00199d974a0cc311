//! Planted secrets: tests send them in requests, keys and headers, and every gateway's output is
//! searched for them when it ends.

use std::fs;
use std::path::{Path, PathBuf};

/// Substring of every planted secret.
pub const PLANTED: &str = "planted-3f9c17";
/// Environment variable with a backend's key, in every gateway.
pub const BACKEND_KEY_ENV: &str = "PLANTED_BACKEND_KEY";
/// Value of that key.
pub const BACKEND_KEY: &str = "sk-planted-3f9c17-backend-key";

/// Returns the files below a directory that contain a planted secret, with the line.
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

/// Returns the first line that contains a planted secret.
pub fn in_text(text: &str) -> Option<String> {
    text.lines().find(|line| line.contains(PLANTED)).map(str::to_owned)
}
