//! `cargo xtask package`: the packages of the gateway and of the SDK, ready to be published.
//!
//! The gateway's package carries the built-in policies as WebAssembly, because their sources
//! are not part of it. They are placed in a copy of the source tree, so that no binary is
//! ever in the tree itself.

mod verify;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::cargo::{self, cargo, root};
use crate::workspace;

/// The packages that users depend on or install. What they depend on is packaged too.
const PUBLISHED: [&str; 3] = ["pointsman-build", "pointsman-gateway", "pointsman-sdk"];
/// The gateway's directory for built-in policies: its build script prefers them to sources.
const BUILT_IN: &str = "host/gateway/builtin";
/// Directories that are no sources.
const SKIPPED: [&str; 5] = [".git", ".venv", "__pycache__", "node_modules", "target"];

/// Builds the gateway with its policies, packages everything, and checks the packages.
pub fn run() -> Result<()> {
    let gateway = cargo::build_gateway()?;
    let names = closure(&workspace::metadata()?, &PUBLISHED);
    let staging = root().join("target/package-staging");
    let result = stage(&staging, &gateway.policies).and_then(|policies| {
        let crates = package(&staging, &names)?;
        verify::check(&crates, &policies)?;
        Ok(crates)
    });
    remove(&staging)?;
    for file in result? {
        println!("packaged {}", file.display());
    }
    Ok(())
}

/// The packages of the workspace that some of them need outside tests, themselves included.
fn closure(metadata: &Value, names: &[&str]) -> BTreeSet<String> {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let mut found = BTreeSet::new();
    let mut open: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    while let Some(name) = open.pop() {
        let Some(package) = packages.iter().find(|package| package["name"] == name.as_str()) else {
            continue;
        };
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        let shipped = dependencies.filter(|dependency| dependency["kind"] != "dev");
        open.extend(shipped.filter_map(|dependency| dependency["name"].as_str()).map(str::to_owned));
        open.retain(|name| !found.contains(name));
        found.insert(name);
    }
    found
}

/// Copies the source tree, and the built-in policies into it. Returns the policies.
fn stage(staging: &Path, policies: &Path) -> Result<Vec<PathBuf>> {
    remove(staging)?;
    copy_tree(root(), staging)?;
    let built_in = staging.join(BUILT_IN);
    fs::create_dir_all(&built_in)?;
    let mut placed = Vec::new();
    for entry in fs::read_dir(policies).with_context(|| format!("cannot read {}", policies.display()))? {
        let path = entry?.path();
        if let (Some(name), Some("wasm")) = (path.file_name(), path.extension().and_then(|it| it.to_str())) {
            fs::copy(&path, built_in.join(name))?;
            placed.push(path);
        }
    }
    ensure!(!placed.is_empty(), "no built-in policies in {}", policies.display());
    Ok(placed)
}

/// Copies a directory. Links stay links.
fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if SKIPPED.iter().any(|name| entry.file_name() == *name) {
            continue;
        } else if kind.is_dir() {
            copy_tree(&source, &target)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&source)?, &target)?;
        } else {
            fs::copy(&source, &target).with_context(|| format!("cannot copy {}", source.display()))?;
        }
    }
    Ok(())
}

/// Runs `cargo package` in the copy. Returns the files that it wrote.
fn package(staging: &Path, names: &BTreeSet<String>) -> Result<Vec<PathBuf>> {
    let mut command = cargo();
    // Without `--no-verify`, cargo would compile every package once more, wasmtime included. The gateway is
    // installed from the packages below.
    command.args(["package", "--no-verify", "--allow-dirty", "--offline", "--target-dir"]);
    command.arg(root().join("target")).current_dir(staging);
    command.args(names.iter().flat_map(|name| ["--package", name]));
    println!("$ cargo package --no-verify, for {}", names.iter().cloned().collect::<Vec<_>>().join(", "));
    let output = command.output().context("cannot run cargo")?;
    ensure!(output.status.success(), "cargo package failed:\n{}", String::from_utf8_lossy(&output.stderr));
    let version = env!("CARGO_PKG_VERSION");
    let file = |name: &String| root().join(format!("target/package/{name}-{version}.crate"));
    Ok(names.iter().map(file).collect())
}

/// Removes a directory if it is there.
fn remove(directory: &Path) -> Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory).with_context(|| format!("cannot remove {}", directory.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_published_with_what_they_need_outside_tests() {
        let metadata = serde_json::json!({ "packages": [
            { "name": "gateway", "dependencies": [{ "name": "wire", "kind": null }, { "name": "build", "kind": "build" }] },
            { "name": "wire", "dependencies": [{ "name": "domain", "kind": null }, { "name": "bytes", "kind": null }] },
            { "name": "domain", "dependencies": [{ "name": "fixtures", "kind": "dev" }] },
            { "name": "build", "dependencies": [] },
            { "name": "fixtures", "dependencies": [] },
            { "name": "other", "dependencies": [] },
        ] });
        let names: Vec<String> = closure(&metadata, &["gateway"]).into_iter().collect();
        assert_eq!(names, ["build", "domain", "gateway", "wire"]);
    }
}
