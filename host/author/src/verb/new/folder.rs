//! A folder that appears with all its files, or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pointsman_terminal::CommandError;

/// A folder that is written under another name beside its place. It is removed when dropped before
/// [`NewFolder::finish`].
#[derive(Debug)]
pub(super) struct NewFolder {
    target: PathBuf,
    staging: PathBuf,
}

impl NewFolder {
    /// Begins a folder.
    ///
    /// # Errors
    /// Fails with exit status 2 if there is a file at the path or in the folder there, or nothing can be
    /// created beside it.
    pub(super) fn begin(target: &Path) -> Result<Self, CommandError> {
        check_free(target)?;
        let target = std::path::absolute(target).map_err(|error| cannot_create(target, &error))?;
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(cannot_create(&target, &io::Error::from(io::ErrorKind::InvalidInput)));
        };
        if !parent.is_dir() {
            return Err(CommandError::Input(format!(
                "error: there is no folder {}\n  = hint: create it first",
                parent.display()
            )));
        }
        let staging = parent.join(format!(".{}.{}.new", name.to_string_lossy(), std::process::id()));
        fs::create_dir(&staging).map_err(|error| cannot_create(&target, &error))?;
        Ok(Self { target, staging })
    }

    /// Returns the path that the folder has for now.
    pub(super) fn path(&self) -> &Path {
        &self.staging
    }

    /// Writes files: paths with slashes, and texts.
    ///
    /// # Errors
    /// Fails if a file cannot be written.
    pub(super) fn write(&self, files: &BTreeMap<String, String>) -> Result<(), CommandError> {
        let write = |name: &String, text: &String| {
            let path = self.staging.join(name);
            fs::create_dir_all(path.parent().unwrap_or(&path))?;
            fs::write(path, text)
        };
        files.iter().try_for_each(|(name, text)| {
            write(name, text).map_err(|error| cannot_create(&self.target.join(name), &error))
        })
    }

    /// Gives the folder its name.
    ///
    /// # Errors
    /// Fails if its place has been taken meanwhile.
    pub(super) fn finish(self) -> Result<(), CommandError> {
        check_free(&self.target)?;
        // An empty folder may be there. One that is not empty cannot be removed.
        let made_room = match fs::remove_dir(&self.target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        };
        made_room
            .and_then(|()| fs::rename(&self.staging, &self.target))
            .map_err(|error| cannot_create(&self.target, &error))
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        // After `finish` there is nothing under this name.
        let _ = fs::remove_dir_all(&self.staging);
    }
}

/// Checks that there is nothing at a path but perhaps an empty folder.
fn check_free(target: &Path) -> Result<(), CommandError> {
    let found = match fs::symlink_metadata(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(cannot_create(target, &error)),
        Ok(metadata) if metadata.is_dir() => {
            let mut entries = fs::read_dir(target).map_err(|error| cannot_create(target, &error))?;
            if entries.next().is_none() {
                return Ok(());
            }
            "has files"
        }
        Ok(_) => "is a file",
    };
    Err(CommandError::Input(format!(
        "error: {} exists and {found}\n  = hint: give another name, or another folder with --path",
        target.display()
    )))
}

fn cannot_create(path: &Path, error: &io::Error) -> CommandError {
    CommandError::Run(format!("error: cannot create {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn files() -> BTreeMap<String, String> {
        BTreeMap::from([("a/b.txt".to_owned(), "b".to_owned())])
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_folder_appears_with_all_its_files() {
        let parent = TempDir::new().unwrap();
        let target = parent.path().join("mine");
        for _ in 0..2 {
            let folder = NewFolder::begin(&target).unwrap();
            folder.write(&files()).unwrap();
            folder.finish().unwrap();
            assert_eq!(fs::read_to_string(target.join("a/b.txt")).unwrap(), "b");
            assert_eq!(names(parent.path()), ["mine"]);
            // An empty folder is as good as none.
            fs::remove_dir_all(target.join("a")).unwrap();
        }
    }

    #[test]
    fn a_folder_that_is_not_finished_leaves_nothing() {
        let parent = TempDir::new().unwrap();
        let folder = NewFolder::begin(&parent.path().join("mine")).unwrap();
        folder.write(&files()).unwrap();
        drop(folder);
        assert!(names(parent.path()).is_empty());
    }

    #[test]
    fn what_is_there_is_never_touched() {
        let parent = TempDir::new().unwrap();
        let target = parent.path().join("mine");
        let error = |target: &Path| NewFolder::begin(target).unwrap_err();
        fs::write(&target, "mine").unwrap();
        assert!(error(&target).to_string().contains("exists and is a file"));
        assert_eq!(error(&target.join("below")).exit_status(), 1);
        fs::remove_file(&target).unwrap();
        let missing = error(&target.join("below"));
        assert!(missing.to_string().contains("there is no folder") && missing.exit_status() == 2);

        let folder = NewFolder::begin(&target).unwrap();
        fs::create_dir(&target).unwrap();
        fs::write(target.join("file"), "mine").unwrap();
        assert!(folder.finish().unwrap_err().to_string().contains("exists and has files"));
        assert_eq!(error(&target).exit_status(), 2);
        assert_eq!(names(parent.path()), ["mine"]);
        assert_eq!(fs::read_to_string(target.join("file")).unwrap(), "mine");
    }
}
