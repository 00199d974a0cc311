//! Waiting for changes of sources and cases.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread;

use pointsman_supply::watch::{ChangeReceiver, FileStamps, FileWatcher, WatchConfig};
use pointsman_terminal::CommandError;

use crate::subject::Sandbox;

/// Folders of tools and results, which change with every build.
const IGNORED: [&str; 4] = ["build", "node_modules", "target", "__pycache__"];
/// Name of files that builds write among the sources.
const GENERATED: &str = "pointsman-entry.js";
/// Most files that are watched.
const MAX_FILES: usize = 10_000;

/// Files of some folders, watched until dropped.
pub struct SourceWatch {
    roots: Vec<PathBuf>,
    watcher: FileWatcher,
    changes: ChangeReceiver,
    files: Vec<PathBuf>,
    seen: FileStamps,
}

impl SourceWatch {
    /// Watches files, and the files in folders. Hidden files and those of builds are left out.
    ///
    /// # Errors
    /// Fails when no thread can be started.
    pub fn start(roots: Vec<PathBuf>) -> Result<Self, CommandError> {
        let files = files_of(&roots);
        let seen = stamps(&files);
        let (watcher, changes) = FileWatcher::start(files.clone(), WatchConfig::default(), |mut work| {
            let work = move || while work().is_continue() {};
            thread::Builder::new().name("source-watch".to_owned()).spawn(work).map(drop)
        })
        .map_err(CommandError::run)?;
        Ok(Self { roots, watcher, changes, files, seen })
    }

    /// Waits until a file has changed, was added or was removed since the last call.
    pub fn wait(&mut self, sandbox: &Sandbox) -> ControlFlow<()> {
        self.wait_by(|changes| sandbox.wait(changes.changed()))
    }

    /// Waits as [`wait`](Self::wait) does. `next` waits for the next signal, and ends the wait with `None`.
    pub fn wait_by(&mut self, mut next: impl FnMut(&mut ChangeReceiver) -> Option<()>) -> ControlFlow<()> {
        loop {
            let files = files_of(&self.roots);
            let stamps = stamps(&files);
            if files != self.files || stamps != self.seen {
                self.watcher.set_paths(files.clone());
                (self.files, self.seen) = (files, stamps);
                return ControlFlow::Continue(());
            }
            if next(&mut self.changes).is_none() {
                return ControlFlow::Break(());
            }
        }
    }
}

/// Returns the stamps of the files. Those of folders change with files that builds write among the sources,
/// and files that come and go show in the list itself.
fn stamps(files: &[PathBuf]) -> FileStamps {
    FileStamps::read(files.iter().map(PathBuf::as_path).filter(|path| !path.is_dir()))
}

/// Returns the watched files and folders, in order.
fn files_of(roots: &[PathBuf]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for root in roots {
        collect(root, &mut files);
    }
    files.sort();
    files.dedup();
    files
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if files.len() >= MAX_FILES {
        return;
    }
    files.push(path.to_owned());
    let Ok(entries) = fs::read_dir(path) else { return };
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        if name.starts_with('.') || IGNORED.contains(&&*name) || name == GENERATED {
            continue;
        }
        // A link to a folder may lead out of the project, or in a circle.
        if path.is_dir() && !path.is_symlink() {
            collect(&path, files);
        } else if files.len() < MAX_FILES {
            files.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn sources_are_watched_and_results_of_builds_are_not() {
        let folder = TempDir::new().unwrap();
        for name in ["src/lib.rs", "cases/a.toml", "target/x", "build/policy.wasm", ".git/HEAD", GENERATED] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let files = files_of(&[folder.path().to_owned()]);
        let names: Vec<String> =
            files.iter().map(|it| it.strip_prefix(folder.path()).unwrap().display().to_string()).collect();
        assert_eq!(names, ["", "cases", "cases/a.toml", "src", "src/lib.rs"]);
    }

    #[test]
    fn what_a_build_writes_among_the_sources_is_no_change() {
        let folder = TempDir::new().unwrap();
        let roots = [folder.path().to_owned()];
        fs::write(folder.path().join("policy.js"), "one").unwrap();
        let files = files_of(&roots);
        let before = stamps(&files);
        fs::write(folder.path().join(GENERATED), "").unwrap();
        assert_eq!((files_of(&roots), stamps(&files) == before), (files.clone(), true));
        fs::write(folder.path().join("policy.js"), "three").unwrap();
        assert!(stamps(&files) != before);
    }
}
