//! The files that a module was built from.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{Error, Module};

/// Returns the local files that modules were built from: their sources, the manifests of
/// their packages, and the workspace's manifest and lock file.
pub(crate) fn of(modules: &[Module]) -> Result<BTreeSet<PathBuf>, Error> {
    let mut paths = BTreeSet::new();
    for module in modules {
        let list = module.path.with_extension("d");
        let text = fs::read_to_string(&list).map_err(|source| Error::Read { path: list, source })?;
        for source in listed(&text) {
            paths.extend(manifests_above(&source));
            paths.insert(source);
        }
    }
    Ok(paths)
}

/// The paths to the right of a dep-info file's colon; a space in one is `\ `.
pub(crate) fn listed(dep_info: &str) -> Vec<PathBuf> {
    let Some((_, list)) = dep_info.lines().next().and_then(|line| line.split_once(": ")) else {
        return Vec::new();
    };
    let mut paths = vec![String::new()];
    let mut characters = list.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, paths.last_mut()) {
            (' ', _) => paths.push(String::new()),
            ('\\', Some(path)) if characters.peek() == Some(&' ') => path.extend(characters.next()),
            (other, Some(path)) => path.push(other),
            (_, None) => {}
        }
    }
    paths.into_iter().filter(|path| !path.is_empty()).map(PathBuf::from).collect()
}

/// The manifest of the package that a source belongs to, and the manifest and lock file of
/// the workspace.
pub(crate) fn manifests_above(source: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for directory in source.ancestors().skip(1) {
        found.extend([directory.join("Cargo.toml")].into_iter().filter(|path| path.is_file()));
        let lock = directory.join("Cargo.lock");
        if lock.is_file() {
            found.push(lock);
            break;
        }
    }
    found
}
