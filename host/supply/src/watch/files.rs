//! The directories on the way to a file, and the detection of changed files.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Symbolic links followed for one path, as many as the kernel follows.
const MAX_LINKS: usize = 40;

/// Returns the directories in which an event can change the target of `path`: the path itself if it
/// is a directory, and the directories of the file, of its target, and of every link on the way. A
/// missing directory is represented by its nearest existing ancestor, where it would appear.
pub(super) fn directories(path: &Path) -> BTreeSet<PathBuf> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut found = BTreeSet::new();
    let mut links = 0;
    follow(&path, &mut links, &mut found);
    found
}

/// Follows the path from the root, and collects the directory of its last component and those of all
/// links.
fn follow(path: &Path, links: &mut usize, found: &mut BTreeSet<PathBuf>) {
    let mut walked = PathBuf::new();
    let mut components = path.components().peekable();
    while let Some(component) = components.next() {
        let parent = walked.clone();
        walked.push(component);
        let is_last = components.peek().is_none();
        match fs::symlink_metadata(&walked) {
            Ok(metadata) if metadata.is_symlink() && component != Component::ParentDir => {
                found.insert(parent.clone());
                *links += 1;
                if *links > MAX_LINKS {
                    return;
                }
                let Ok(target) = fs::read_link(&walked) else { return };
                let rest: PathBuf = components.collect();
                let target = parent.join(target);
                let target = if rest.as_os_str().is_empty() { target } else { target.join(rest) };
                follow(&target, links, found);
                return;
            }
            Ok(_) if !is_last => {}
            last => {
                // A watched directory changes with its entries.
                if last.is_ok_and(|metadata| metadata.is_dir()) {
                    found.insert(walked);
                }
                found.insert(parent);
                return;
            }
        }
    }
}

/// Metadata that changes with the content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FileStamp {
    target: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
    identity: (u64, i64, i64),
}

/// Returns the stamp of the target of a path; `None` if there is none.
fn stamp(path: &Path) -> Option<FileStamp> {
    let target = fs::canonicalize(path).ok()?;
    let metadata = fs::metadata(&target).ok()?;
    Some(FileStamp {
        target,
        length: metadata.len(),
        modified: metadata.modified().ok(),
        identity: identity(&metadata),
    })
}

/// The state of several files at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStamps(Vec<Option<FileStamp>>);

impl FileStamps {
    /// Reads the state of files, which may be missing.
    pub fn read<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Self {
        Self(paths.into_iter().map(stamp).collect())
    }

    /// Returns the time of the last change of any of the files.
    pub fn last_change(&self) -> Option<SystemTime> {
        self.0.iter().flatten().filter_map(FileStamp::changed).max()
    }

    pub(super) fn targets(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().flatten().map(|stamp| stamp.target.as_path())
    }
}

impl FileStamp {
    /// Returns the time of the last change of content or name.
    fn changed(&self) -> Option<SystemTime> {
        let (_, seconds, nanoseconds) = self.identity;
        let since = Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanoseconds).ok()?);
        self.modified.max(UNIX_EPOCH.checked_add(since))
    }
}

/// Returns inode number and change time. Unlike the modification time, a program cannot set the change
/// time back.
#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}
