//! Builds policies to WebAssembly from source, so that no binary lies in git
//! and nobody has to build guests by hand.
//!
//! ```no_run
//! // build.rs
//! # use std::path::Path;
//! fn main() -> Result<(), build_guest::Error> {
//!     # let out_dir = Path::new("");
//!     let wasm = build_guest::build_all(&["pointsman-policy-cost", "pointsman-policy-dynamic"], out_dir)?;
//!     build_guest::rerun_if_changed(&wasm)
//! }
//! ```
//!
//! Without dependencies, because everything that embeds a policy waits for it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

mod error;
pub use error::Error;

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "guest";

/// Builds one package of the workspace; gives the path of its core module,
/// which carries the component's type in a custom section. See [`build_all`].
pub fn build(package: &str, out_dir: &Path) -> Result<PathBuf, Error> {
    build_all(&[package], out_dir).map(|mut wasm| wasm.swap_remove(0))
}

/// Builds packages of the workspace with one run of cargo, in a target directory
/// of its own below `out_dir`: the outer cargo holds the lock of the usual one.
/// The paths come in the order of the packages.
pub fn build_all(packages: &[&str], out_dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let target_dir = out_dir.join("guest-target");
    let mut command = cargo();
    command.args(["build", "--target", TARGET, "--profile", PROFILE, "--target-dir"]).arg(&target_dir);
    command.args(packages.iter().flat_map(|package| ["--package", package]));
    let output = command.output().map_err(Error::Start)?;
    if !output.status.success() {
        return Err(Error::from_stderr(packages, &String::from_utf8_lossy(&output.stderr)));
    }
    let built = target_dir.join(TARGET).join(PROFILE);
    packages.iter().map(|package| module(package, &built)).collect()
}

/// Tells the cargo that runs a build script when to run it again: when a source
/// or manifest of these modules has changed.
#[expect(clippy::print_stdout, reason = "this is how a build script talks to cargo")]
pub fn rerun_if_changed(modules: &[PathBuf]) -> Result<(), Error> {
    for path in sources(modules)? {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    Ok(())
}

/// The files of this workspace that modules were built from: their sources, the
/// manifests beside those, and the workspace's manifest and lock file.
pub fn sources(modules: &[PathBuf]) -> Result<BTreeSet<PathBuf>, Error> {
    let mut paths = BTreeSet::new();
    for module in modules {
        let list = module.with_extension("d");
        let text = fs::read_to_string(&list).map_err(|source| Error::Read { path: list, source })?;
        for source in listed(&text) {
            paths.extend(manifests_above(&source));
            paths.insert(source);
        }
    }
    Ok(paths)
}

fn module(package: &str, built: &Path) -> Result<PathBuf, Error> {
    let path = built.join(package.replace('-', "_")).with_extension("wasm");
    if path.is_file() { Ok(path) } else { Err(Error::NoModule { package: package.to_owned() }) }
}

/// Cargo without what the outer cargo and its build script leave in the
/// environment: flags meant for the host would break or rebuild the guest.
fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(leaks) {
            command.env_remove(name);
        }
    }
    command
}

/// Whether a variable must not reach the inner cargo. What tells where things are
/// and how to fetch them stays, and so does `CARGO_MAKEFLAGS`: the inner cargo
/// then shares the outer one's job slots.
fn leaks(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_INCREMENTAL",
        "CLIPPY_ARGS",
        "DEBUG",
        "OPT_LEVEL",
        "OUT_DIR",
        "PROFILE",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTDOCFLAGS",
        "RUSTFLAGS",
    ];
    const PREFIXES: [&str; 7] = [
        "CARGO_BUILD_",
        "CARGO_CFG_",
        "CARGO_FEATURE_",
        "CARGO_MANIFEST_",
        "CARGO_PKG_",
        "CARGO_PROFILE_",
        "CARGO_TARGET_",
    ];
    let for_the_guest = name.starts_with("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER");
    !for_the_guest && (NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}

/// The paths to the right of a dep-info file's colon; a space in one is `\ `.
fn listed(dep_info: &str) -> Vec<PathBuf> {
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

/// The manifest of the package that a source belongs to, and the manifest and
/// lock file of the workspace.
fn manifests_above(source: &Path) -> Vec<PathBuf> {
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

#[cfg(test)]
mod tests;
