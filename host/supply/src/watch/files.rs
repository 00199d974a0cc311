//! Which directories say something about a file, and whether it is another one.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Links followed for one path; the kernel follows 40.
const MAX_LINKS: usize = 40;

/// The directories in which an event can change what `path` leads to: itself, if
/// it is one, those of the file, of its target, and of every link on the way. What is missing is
/// represented by its nearest ancestor, where it would appear.
pub(super) fn directories(path: &Path) -> BTreeSet<PathBuf> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut found = BTreeSet::new();
    let mut links = 0;
    follow(&path, &mut links, &mut found);
    found
}

/// Walks the path from the root and adds the directory of the last component
/// and those of all links.
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
                // A directory is what is in it.
                if last.is_ok_and(|metadata| metadata.is_dir()) {
                    found.insert(walked);
                }
                found.insert(parent);
                return;
            }
        }
    }
}

/// What tells one state of a file from another without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    target: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
    identity: (u64, i64, i64),
}

/// The stamp of what a path leads to; `None` when it leads nowhere.
fn stamp(path: &Path) -> Option<Stamp> {
    let target = fs::canonicalize(path).ok()?;
    let metadata = fs::metadata(&target).ok()?;
    Some(Stamp {
        target,
        length: metadata.len(),
        modified: metadata.modified().ok(),
        identity: identity(&metadata),
    })
}

/// The states of some files at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStamps(Vec<Option<Stamp>>);

impl FileStamps {
    /// Reads the states of files, which may be missing.
    pub fn read<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Self {
        Self(paths.into_iter().map(stamp).collect())
    }

    /// The time of the last change of any of the files.
    pub fn last_change(&self) -> Option<SystemTime> {
        self.0.iter().flatten().filter_map(Stamp::changed).max()
    }

    pub(super) fn targets(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().flatten().map(|stamp| stamp.target.as_path())
    }
}

impl Stamp {
    /// Time of the last change of content or name.
    fn changed(&self) -> Option<SystemTime> {
        let (_, seconds, nanoseconds) = self.identity;
        let since = Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanoseconds).ok()?);
        self.modified.max(UNIX_EPOCH.checked_add(since))
    }
}

/// The file's number, and when anything about it changed last: unlike the time of
/// its content, nobody can set that back.
#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}
